// One function per tab: draws its part of the state into the given element.

export const text = (value) => document.createTextNode(String(value ?? ""));

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) { made[key] = value; } else { made.setAttribute(key, value); }
  }
  made.append(...children);
  return made;
}

const badge = (value, kind = "") => element("span", { class: `badge ${kind}` }, text(value));
const clock = (unix) => new Date(unix * 1000).toLocaleTimeString("en-GB") +
  "." + String(Math.floor((unix % 1) * 1000)).padStart(3, "0");
const newest = (list) => [...list].reverse();
const json = (value) => element("pre", {}, text(JSON.stringify(value, null, 2)));
const empty = (title, hint) => element("div", { class: "empty" },
  element("h2", {}, text(title)), element("p", {}, text(hint)));

function table(head, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", {}, text(cell))))),
    element("tbody", {}, ...rows));
}

function row(...cells) {
  return element("tr", {}, ...cells.map((cell) =>
    element("td", {}, ...(Array.isArray(cell) ? cell : [cell instanceof Node ? cell : text(cell)]))));
}

function masterDetail(view, items, key, chosen, redraw, listItem, detail) {
  const current = items.find((item) => item.id === chosen[key]) ?? items[0];
  const scrolled = view.querySelector(".list")?.scrollTop ?? 0;
  const list = element("div", { class: "list" }, ...items.map((item) => element("button", {
    class: item === current ? "item chosen" : "item",
    onclick: () => { chosen[key] = item.id; redraw(); },
  }, ...listItem(item))));
  const old = view.querySelector(".detail");
  const kept = old && old.dataset.id === String(current.id);
  const shown = kept ? old
    : element("article", { class: "detail", "data-id": current.id }, ...detail(current));
  view.replaceChildren(element("div", { class: "split" }, list, shown));
  list.scrollTop = scrolled;
}

function mailFrame(mail) {
  const frame = element("iframe", { sandbox: "allow-popups", title: mail.subject });
  const body = mail.html || `<pre style="white-space:pre-wrap">${
    mail.text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c])}</pre>`;
  frame.srcdoc = `<base target="_blank">${body}`;
  return frame;
}

function mails(view, state, chosen, { redraw }) {
  if (!state.mails.length) {
    view.replaceChildren(empty("No mail yet", "Mails that Relais sends through Mailjet, Brevo or SMTP appear here as they arrive."));
    return;
  }
  masterDetail(view, newest(state.mails), "mail", chosen, redraw, (mail) => [
    element("span", { class: "top" }, element("b", {}, text(mail.subject || "(no subject)")),
      element("time", {}, text(clock(mail.received_at)))),
    element("span", { class: "sub" }, text(mail.to), badge(mail.provider, mail.provider),
      ...(mail.language ? [badge(mail.language)] : []), ...(mail.campaign ? [badge("campaign")] : [])),
  ], (mail) => [
    element("h2", {}, text(mail.subject || "(no subject)")),
    element("dl", {}, ...[["From", mail.from], ["To", mail.to], ["Language", mail.language],
      ["Received", clock(mail.received_at)], ["Provider", mail.provider],
      ["Campaign", mail.campaign], ["Own id", mail.custom_id]]
      .filter(([, value]) => value).flatMap(([name, value]) =>
        [element("dt", {}, text(name)), element("dd", {}, text(value))])),
    mailFrame(mail),
    element("details", {}, element("summary", {}, text("Plain text")), element("pre", {}, text(mail.text || "(none)"))),
    element("details", {}, element("summary", {}, text("Headers")), json(mail.headers)),
  ]);
}

function pushes(view, state) {
  if (!state.pushes.length) {
    view.replaceChildren(empty("No push yet", "Notifications sent through OneSignal appear here, one card per device."));
    return;
  }
  const pick = (texts) => texts.en ?? Object.values(texts)[0] ?? "";
  view.replaceChildren(element("div", { class: "cards" }, ...newest(state.pushes).map((push) =>
    element("article", { class: "card phone" },
      element("div", { class: "sub" }, badge("push", "onesignal"), element("time", {}, text(clock(push.received_at)))),
      element("h3", {}, text(pick(push.headings))), element("p", {}, text(pick(push.contents))),
      element("p", { class: "muted" }, text(push.subscription_id)),
      element("details", {}, element("summary", {}, text(`Languages ${Object.keys(push.contents).join(" · ")}`)), json(push))))));
}

function people(view, state, chosen, { call }) {
  const { contacts, lists, total } = state.people;
  if (!contacts.length) {
    view.replaceChildren(empty("No contact yet", "People whom Relais puts on a Brevo list appear here, with a button to unsubscribe them as they would."));
    return;
  }
  const named = (id) => lists.find((list) => list.id === id)?.name ?? `list ${id}`;
  view.replaceChildren(
    element("p", { class: "lead" }, text(`${total} contact${total === 1 ? "" : "s"} at Brevo. `),
      ...lists.map((list) => badge(`${list.name} · ${contacts.filter((c) => c.listIds.includes(list.id)).length}`, "brevo"))),
    table(["E-mail", "On lists", "Opted out", "Attributes", ""], newest(contacts).map((contact) => row(
      [element("b", {}, text(contact.email)), element("div", { class: "muted" }, text(`#${contact.id}`))],
      contact.listIds.map((id) => badge(named(id), "on")),
      [...(contact.emailBlacklisted ? [badge("blocklisted", "bad")] : []),
        ...(contact.listUnsubscribed ?? []).map((id) => badge(named(id), "warn"))],
      Object.entries(contact.attributes).map(([name, value]) => badge(`${name} ${value}`)),
      element("button", { onclick: () => call("POST", "/brevo/unsubscribe", { email: contact.email, all: true }) },
        text("Unsubscribe"))))));
}

function campaigns(view, state) {
  if (!state.campaigns.length) {
    view.replaceChildren(empty("No campaign yet", "Campaigns that Relais creates and sends at Brevo appear here with their statistics."));
    return;
  }
  view.replaceChildren(element("div", { class: "cards" }, ...newest(state.campaigns).map((campaign) => {
    const { globalStats } = campaign.statistics;
    const numbers = ["sent", "delivered", "uniqueViews", "unsubscriptions"];
    return element("article", { class: "card" },
      element("div", { class: "sub" }, badge(campaign.status, campaign.status === "sent" ? "on" : "warn"),
        text(`#${campaign.id}`)),
      element("h3", {}, text(campaign.name)), element("p", {}, text(campaign.subject)),
      element("div", { class: "numbers" }, ...numbers.map((name) => element("div", {},
        element("b", {}, text(globalStats[name])), element("span", {}, text(name.replace(/[A-Z]/g, " $&").toLowerCase()))))),
      element("details", {}, element("summary", {}, text("All of it")), json({ ...campaign, htmlContent: "…" })));
  })));
}

function chats(view, state) {
  if (!state.chats.length) {
    view.replaceChildren(empty("No chat message yet", "Messages posted to Slack webhooks or with chat.postMessage appear here."));
    return;
  }
  view.replaceChildren(element("div", { class: "cards" }, ...newest(state.chats).map((chat) =>
    element("article", { class: "card" },
      element("div", { class: "sub" }, badge(chat.via, "slack"), element("time", {}, text(clock(chat.received_at)))),
      element("p", {}, text(chat.text)), element("p", { class: "muted" }, text(chat.channel)),
      ...(chat.blocks ? [element("details", {}, element("summary", {}, text("Blocks")), json(chat.blocks))] : [])))));
}

const shade = (status) => status === null ? "bad" : status < 300 ? "on" : status < 500 ? "warn" : "bad";

function journal(view, state, chosen, { redraw }) {
  if (!state.journal.length) {
    view.replaceChildren(empty("No request yet", "Every call to a provider appears here, with the fault that was applied to it."));
    return;
  }
  masterDetail(view, newest(state.journal), "request", chosen, redraw, (entry) => [
    element("span", { class: "top" }, element("code", {}, text(`${entry.method} ${entry.path}`)),
      element("time", {}, text(clock(entry.time)))),
    element("span", { class: "sub" }, badge(entry.provider, entry.provider),
      badge(entry.status ?? "no answer", shade(entry.status)), text(`${entry.duration_ms.toFixed(1)} ms`),
      ...(entry.fault ? [badge(entry.fault, "bad")] : [])),
  ], (entry) => [
    element("h2", {}, element("code", {}, text(`${entry.method} ${entry.path}`))),
    element("h3", {}, text("Request")), json({ query: entry.query, headers: entry.headers, body: entry.body }),
    element("h3", {}, text("Answer")), json({ status: entry.status, body: entry.answer }),
  ]);
}

function webhooks(view, state) {
  if (!state.webhooks.length) {
    view.replaceChildren(empty("No webhook sent yet", "Events that the providers report to Relais appear here, with each attempt."));
    return;
  }
  const states = { delivered: "on", pending: "warn", dropped: "bad" };
  view.replaceChildren(table(["Provider", "Event", "To", "State", "Attempts"], newest(state.webhooks).map((hook) => {
    const events = [].concat(hook.payload).map((item) => item.event ?? "notify");
    return row(badge(hook.provider, hook.provider), events.map((name) => badge(name)),
      element("code", {}, text(hook.url)), badge(hook.state, states[hook.state]),
      hook.attempts.map((attempt) => badge(attempt.status ?? attempt.error, shade(attempt.status))));
  })));
}

const PROVIDERS = ["mailjet", "brevo", "onesignal", "slack", "smtp"];
const QUICK = [
  ["Slow (2 s)", { fault: "delay_ms", delay_ms: 2000 }],
  ["429", { fault: "status", status: 429, headers: { "Retry-After": "1" } }],
  ["500", { fault: "status", status: 500 }],
  ["HTML 502", { fault: "html_error" }],
  ["Reset before", { fault: "reset_before" }],
  ["Reset after processing", { fault: "reset_after" }],
  ["Half the JSON", { fault: "truncated_json" }],
];

function faults(view, state, chosen, { call }) {
  const provider = element("select", {}, ...PROVIDERS.map((name) => element("option", {}, text(name))));
  provider.value = chosen.provider ?? "mailjet";
  provider.onchange = () => { chosen.provider = provider.value; };
  const times = element("input", { type: "number", min: "1", value: chosen.times ?? "1" });
  times.onchange = () => { chosen.times = times.value; };
  const add = (script) => call("POST", "/faults",
    { ...script, provider: provider.value, times: Number(times.value) });
  view.replaceChildren(
    element("div", { class: "panel" }, element("h2", {}, text("Make the next requests fail")),
      element("div", { class: "form" }, element("label", {}, text("Provider "), provider),
        element("label", {}, text("Requests "), times)),
      element("div", { class: "form" }, ...QUICK.map(([label, script]) =>
        element("button", { onclick: () => add(script) }, text(label)))),
      element("p", { class: "muted" }, text("Routes, probabilities, partial failures and more: POST /__sim/faults."))),
    state.faults.length
      ? table(["Fault", "Provider", "Route", "Applied", ""], state.faults.map((fault) => row(
        badge(fault.fault === "status" ? `status ${fault.status}` : fault.fault, "bad"), fault.provider || "all",
        element("code", {}, text(fault.route || "every")), `${fault.applied} of ${fault.times ?? "∞"}`,
        element("button", { onclick: () => call("DELETE", `/faults/${fault.id}`) }, text("Remove")))))
      : empty("Everything works", "No fault is set."));
}

export const views = { mails, pushes, people, campaigns, chats, journal, webhooks, faults };
