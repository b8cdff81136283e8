// What arrived at a person: mails, pushes, chat messages.
import { text, element, badge, clock, newest, json, empty, masterDetail } from "/dom.js";

function mailFrame(mail) {
  const frame = element("iframe", { sandbox: "allow-popups", title: mail.subject });
  const body =
    mail.html ||
    `<pre style="white-space:pre-wrap">${mail.text.replace(
      /[&<>]/g,
      (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c],
    )}</pre>`;
  frame.srcdoc = `<base target="_blank">${body}`;
  return frame;
}

export function mails(view, state, chosen, { redraw }) {
  if (!state.mails.length) {
    view.replaceChildren(
      empty(
        "No mail yet",
        "Mails that Relais sends through Mailjet, Brevo or SMTP appear here as they arrive.",
      ),
    );
    return;
  }
  masterDetail(
    view,
    newest(state.mails),
    "mail",
    chosen,
    redraw,
    (mail) => [
      element(
        "span",
        { class: "top" },
        element("b", {}, text(mail.subject || "(no subject)")),
        element("time", {}, text(clock(mail.received_at))),
      ),
      element(
        "span",
        { class: "sub" },
        text(mail.to),
        badge(mail.provider, mail.provider),
        ...(mail.language ? [badge(mail.language)] : []),
        ...(mail.campaign ? [badge("campaign")] : []),
      ),
    ],
    (mail) => [
      element("h2", {}, text(mail.subject || "(no subject)")),
      element(
        "dl",
        {},
        ...[
          ["From", mail.from],
          ["To", mail.to],
          ["Language", mail.language],
          ["Received", clock(mail.received_at)],
          ["Provider", mail.provider],
          ["Campaign", mail.campaign],
          ["Own id", mail.custom_id],
        ]
          .filter(([, value]) => value)
          .flatMap(([name, value]) => [
            element("dt", {}, text(name)),
            element("dd", {}, text(value)),
          ]),
      ),
      mailFrame(mail),
      element(
        "details",
        {},
        element("summary", {}, text("Plain text")),
        element("pre", {}, text(mail.text || "(none)")),
      ),
      element("details", {}, element("summary", {}, text("Headers")), json(mail.headers)),
    ],
  );
}

export function pushes(view, state) {
  if (!state.pushes.length) {
    view.replaceChildren(
      empty(
        "No push yet",
        "Notifications sent through OneSignal appear here, one card per device.",
      ),
    );
    return;
  }
  const pick = (texts) => texts.en ?? Object.values(texts)[0] ?? "";
  view.replaceChildren(
    element(
      "div",
      { class: "cards" },
      ...newest(state.pushes).map((push) =>
        element(
          "article",
          { class: "card phone" },
          element(
            "div",
            { class: "sub" },
            badge("push", "onesignal"),
            element("time", {}, text(clock(push.received_at))),
          ),
          element("h3", {}, text(pick(push.headings))),
          element("p", {}, text(pick(push.contents))),
          element("p", { class: "muted" }, text(push.subscription_id)),
          element(
            "details",
            {},
            element("summary", {}, text(`Languages ${Object.keys(push.contents).join(" · ")}`)),
            json(push),
          ),
        ),
      ),
    ),
  );
}

export function chats(view, state) {
  if (!state.chats.length) {
    view.replaceChildren(
      empty(
        "No chat message yet",
        "Messages posted to Slack webhooks or with chat.postMessage appear here.",
      ),
    );
    return;
  }
  view.replaceChildren(
    element(
      "div",
      { class: "cards" },
      ...newest(state.chats).map((chat) =>
        element(
          "article",
          { class: "card" },
          element(
            "div",
            { class: "sub" },
            badge(chat.via, "slack"),
            element("time", {}, text(clock(chat.received_at))),
          ),
          element("p", {}, text(chat.text)),
          element("p", { class: "muted" }, text(chat.channel)),
          ...(chat.blocks
            ? [element("details", {}, element("summary", {}, text("Blocks")), json(chat.blocks))]
            : []),
        ),
      ),
    ),
  );
}
