// What the list provider knows: contacts and campaigns.
import { text, element, badge, newest, json, empty, table, row } from "/dom.js";

export function people(view, state, chosen, { call }) {
  const { contacts, lists, total } = state.people;
  if (!contacts.length) {
    view.replaceChildren(
      empty(
        "No contact yet",
        "People whom Relais puts on a Brevo list appear here, with a button to unsubscribe them as they would.",
      ),
    );
    return;
  }
  const named = (id) => lists.find((list) => list.id === id)?.name ?? `list ${id}`;
  view.replaceChildren(
    element(
      "p",
      { class: "lead" },
      text(`${total} contact${total === 1 ? "" : "s"} at Brevo. `),
      ...lists.map((list) =>
        badge(
          `${list.name} · ${contacts.filter((c) => c.listIds.includes(list.id)).length}`,
          "brevo",
        ),
      ),
    ),
    table(
      ["E-mail", "On lists", "Opted out", "Attributes", ""],
      newest(contacts).map((contact) =>
        row(
          [
            element("b", {}, text(contact.email)),
            element("div", { class: "muted" }, text(`#${contact.id}`)),
          ],
          contact.listIds.map((id) => badge(named(id), "on")),
          [
            ...(contact.emailBlacklisted ? [badge("blocklisted", "bad")] : []),
            ...(contact.listUnsubscribed ?? []).map((id) => badge(named(id), "warn")),
          ],
          Object.entries(contact.attributes).map(([name, value]) => badge(`${name} ${value}`)),
          element(
            "button",
            {
              onclick: () =>
                call("POST", "/brevo/unsubscribe", { email: contact.email, all: true }),
            },
            text("Unsubscribe"),
          ),
        ),
      ),
    ),
  );
}

export function campaigns(view, state) {
  if (!state.campaigns.length) {
    view.replaceChildren(
      empty(
        "No campaign yet",
        "Campaigns that Relais creates and sends at Brevo appear here with their statistics.",
      ),
    );
    return;
  }
  view.replaceChildren(
    element(
      "div",
      { class: "cards" },
      ...newest(state.campaigns).map((campaign) => {
        const { globalStats } = campaign.statistics;
        const numbers = ["sent", "delivered", "uniqueViews", "unsubscriptions"];
        return element(
          "article",
          { class: "card" },
          element(
            "div",
            { class: "sub" },
            badge(campaign.status, campaign.status === "sent" ? "on" : "warn"),
            text(`#${campaign.id}`),
          ),
          element("h3", {}, text(campaign.name)),
          element("p", {}, text(campaign.subject)),
          element(
            "div",
            { class: "numbers" },
            ...numbers.map((name) =>
              element(
                "div",
                {},
                element("b", {}, text(globalStats[name])),
                element("span", {}, text(name.replace(/[A-Z]/g, " $&").toLowerCase())),
              ),
            ),
          ),
          element(
            "details",
            {},
            element("summary", {}, text("All of it")),
            json({ ...campaign, htmlContent: "…" }),
          ),
        );
      }),
    ),
  );
}
