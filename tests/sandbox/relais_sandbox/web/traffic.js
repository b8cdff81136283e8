// What went over the wire: requests, webhooks, and the faults set on them.
import {
  text,
  element,
  badge,
  clock,
  newest,
  json,
  empty,
  table,
  row,
  masterDetail,
  shade,
} from "/dom.js";

export function journal(view, state, chosen, { redraw }) {
  if (!state.journal.length) {
    view.replaceChildren(
      empty(
        "No request yet",
        "Every call to a provider appears here, with the fault that was applied to it.",
      ),
    );
    return;
  }
  masterDetail(
    view,
    newest(state.journal),
    "request",
    chosen,
    redraw,
    (entry) => [
      element(
        "span",
        { class: "top" },
        element("code", {}, text(`${entry.method} ${entry.path}`)),
        element("time", {}, text(clock(entry.time))),
      ),
      element(
        "span",
        { class: "sub" },
        badge(entry.provider, entry.provider),
        badge(entry.status ?? "no answer", shade(entry.status)),
        text(`${entry.duration_ms.toFixed(1)} ms`),
        ...(entry.fault ? [badge(entry.fault, "bad")] : []),
      ),
    ],
    (entry) => [
      element("h2", {}, element("code", {}, text(`${entry.method} ${entry.path}`))),
      element("h3", {}, text("Request")),
      json({ query: entry.query, headers: entry.headers, body: entry.body }),
      element("h3", {}, text("Answer")),
      json({ status: entry.status, body: entry.answer }),
    ],
  );
}

export function webhooks(view, state) {
  if (!state.webhooks.length) {
    view.replaceChildren(
      empty(
        "No webhook sent yet",
        "Events that the providers report to Relais appear here, with each attempt.",
      ),
    );
    return;
  }
  const states = { delivered: "on", pending: "warn", dropped: "bad" };
  view.replaceChildren(
    table(
      ["Provider", "Event", "To", "State", "Attempts"],
      newest(state.webhooks).map((hook) => {
        const events = [].concat(hook.payload).map((item) => item.event ?? "notify");
        return row(
          badge(hook.provider, hook.provider),
          events.map((name) => badge(name)),
          element("code", {}, text(hook.url)),
          badge(hook.state, states[hook.state]),
          hook.attempts.map((attempt) =>
            badge(attempt.status ?? attempt.error, shade(attempt.status)),
          ),
        );
      }),
    ),
  );
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

export function faults(view, state, chosen, { call }) {
  const provider = element(
    "select",
    {},
    ...PROVIDERS.map((name) => element("option", {}, text(name))),
  );
  provider.value = chosen.provider ?? "mailjet";
  provider.onchange = () => {
    chosen.provider = provider.value;
  };
  const times = element("input", { type: "number", min: "1", value: chosen.times ?? "1" });
  times.onchange = () => {
    chosen.times = times.value;
  };
  const add = (script) =>
    call("POST", "/faults", { ...script, provider: provider.value, times: Number(times.value) });
  view.replaceChildren(
    element(
      "div",
      { class: "panel" },
      element("h2", {}, text("Make the next requests fail")),
      element(
        "div",
        { class: "form" },
        element("label", {}, text("Provider "), provider),
        element("label", {}, text("Requests "), times),
      ),
      element(
        "div",
        { class: "form" },
        ...QUICK.map(([label, script]) =>
          element("button", { onclick: () => add(script) }, text(label)),
        ),
      ),
      element(
        "p",
        { class: "muted" },
        text("Routes, probabilities, partial failures and more: POST /__sim/faults."),
      ),
    ),
    state.faults.length
      ? table(
          ["Fault", "Provider", "Route", "Applied", ""],
          state.faults.map((fault) =>
            row(
              badge(fault.fault === "status" ? `status ${fault.status}` : fault.fault, "bad"),
              fault.provider || "all",
              element("code", {}, text(fault.route || "every")),
              `${fault.applied} of ${fault.times ?? "∞"}`,
              element(
                "button",
                { onclick: () => call("DELETE", `/faults/${fault.id}`) },
                text("Remove"),
              ),
            ),
          ),
        )
      : empty("Everything works", "No fault is set."),
  );
}
