// Keeps the state that the sandbox streams, and draws the tab that is open.
import { text, element } from "/dom.js";
import { mails, pushes, chats } from "/arrivals.js";
import { people, campaigns } from "/lists.js";
import { journal, webhooks, faults } from "/traffic.js";

const views = { mails, pushes, people, campaigns, chats, journal, webhooks, faults };

const KEPT = 400;
const TABS = [
  ["mails", "Mails"],
  ["pushes", "Pushes"],
  ["people", "Contacts"],
  ["campaigns", "Campaigns"],
  ["chats", "Chat"],
  ["journal", "Requests"],
  ["webhooks", "Webhooks"],
  ["faults", "Faults"],
];
const state = {
  urls: {},
  mails: [],
  pushes: [],
  chats: [],
  journal: [],
  campaigns: [],
  webhooks: [],
  faults: [],
  people: { lists: [], contacts: [], total: 0 },
  settings: {},
};
const chosen = {};
const seen = {};
let tab = location.hash.slice(1) || "mails";
let waiting = false;

const append = (list) => (item) => {
  state[list].push(item);
  if (state[list].length > KEPT) {
    state[list].shift();
  }
};
const replace = (list) => (item) => {
  const index = state[list].findIndex((other) => other.id === item.id);
  if (index < 0) {
    append(list)(item);
  } else {
    state[list][index] = item;
  }
};
const handlers = {
  all: (item) => Object.assign(state, item),
  mail: append("mails"),
  push: append("pushes"),
  chat: append("chats"),
  journal: append("journal"),
  webhook: replace("webhooks"),
  campaign: replace("campaigns"),
  faults: (item) => {
    state.faults = item;
  },
  people: (item) => {
    state.people = item;
  },
};

function counts(name) {
  return name === "people" ? state.people.total : state[name].length;
}

function drawTabs() {
  const buttons = TABS.map(([name, label]) => {
    const button = element(
      "button",
      { role: "tab", "aria-selected": String(name === tab) },
      text(label),
      element("span", { class: "count" }, text(counts(name))),
    );
    if (name !== tab && counts(name) > (seen[name] ?? 0)) {
      button.classList.add("news");
    }
    button.onclick = () => {
      location.hash = name;
    };
    return button;
  });
  document.querySelector("#tabs").replaceChildren(...buttons);
}

function draw() {
  waiting = false;
  seen[tab] = counts(tab);
  drawTabs();
  const view = document.querySelector("#view");
  if (view.contains(document.activeElement) && document.activeElement.matches("input,select")) {
    return; // somebody is typing into a form
  }
  views[tab](view, state, chosen, { call, redraw });
  document.querySelector("#rate-limits").checked = state.settings.rate_limits ?? true;
}

function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

async function call(method, path, body) {
  const answer = await fetch("/__sim" + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const document_ = await answer.json();
  if (!answer.ok) {
    alert(document_.error ?? answer.statusText);
  }
  return document_;
}

function follow() {
  const source = new EventSource("/live");
  const dot = document.querySelector("#live");
  source.onopen = () => {
    dot.textContent = "live";
    dot.className = "dot on";
  };
  source.onerror = () => {
    dot.textContent = "lost, trying again";
    dot.className = "dot";
  };
  for (const [kind, handle] of Object.entries(handlers)) {
    source.addEventListener(kind, (event) => {
      handle(JSON.parse(event.data));
      redraw();
    });
  }
}

window.onhashchange = () => {
  tab = TABS.some(([name]) => name === location.hash.slice(1)) ? location.hash.slice(1) : "mails";
  document.querySelector("#view").replaceChildren();
  redraw();
};
document.querySelector("#reset").onclick = () => call("POST", "/reset", {});
document.querySelector("#rate-limits").onchange = async (event) => {
  const { on } = await call("POST", "/rate-limits", { on: event.target.checked });
  state.settings.rate_limits = on;
};
window.onhashchange();
follow();
