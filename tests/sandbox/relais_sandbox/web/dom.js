// Small makers of elements that every tab uses; text always goes in as text, never as HTML.

export const text = (value) => document.createTextNode(String(value ?? ""));

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made[key] = value;
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children);
  return made;
}

export const badge = (value, kind = "") =>
  element("span", { class: `badge ${kind}`, title: value }, text(value));
export const clock = (unix) =>
  new Date(unix * 1000).toLocaleTimeString("en-GB") +
  "." +
  String(Math.floor((unix % 1) * 1000)).padStart(3, "0");
export const newest = (list) => [...list].reverse();
export const json = (value) => element("pre", {}, text(JSON.stringify(value, null, 2)));
export const empty = (title, hint) =>
  element("div", { class: "empty" }, element("h2", {}, text(title)), element("p", {}, text(hint)));

export function table(head, rows) {
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", {}, text(cell))))),
    element("tbody", {}, ...rows),
  );
}

export function row(...cells) {
  return element(
    "tr",
    {},
    ...cells.map((cell) =>
      element(
        "td",
        {},
        ...(Array.isArray(cell) ? cell : [cell instanceof Node ? cell : text(cell)]),
      ),
    ),
  );
}

export function masterDetail(view, items, key, chosen, redraw, listItem, detail) {
  const current = items.find((item) => item.id === chosen[key]) ?? items[0];
  const scrolled = view.querySelector(".list")?.scrollTop ?? 0;
  const list = element(
    "div",
    { class: "list" },
    ...items.map((item) =>
      element(
        "button",
        {
          class: item === current ? "item chosen" : "item",
          onclick: () => {
            chosen[key] = item.id;
            redraw();
          },
        },
        ...listItem(item),
      ),
    ),
  );
  const old = view.querySelector(".detail");
  const kept = old && old.dataset.id === String(current.id);
  const shown = kept
    ? old
    : element("article", { class: "detail", "data-id": current.id }, ...detail(current));
  view.replaceChildren(element("div", { class: "split" }, list, shown));
  list.scrollTop = scrolled;
}

export const shade = (status) =>
  status === null ? "bad" : status < 300 ? "on" : status < 500 ? "warn" : "bad";
