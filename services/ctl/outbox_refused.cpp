#include "ctl/outbox_refused.hpp"

#include "clock/rfc3339.hpp"
#include "ctl/acting.hpp"
#include "ctl/databases.hpp"
#include "ctl/listing.hpp"
#include "http/json_writer.hpp"
#include "outbox/refused.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace relais::ctl {
namespace {

constexpr std::size_t listed_max = 1'000;

void add_json(http::json_writer& json, const std::string& service,
              const outbox::refused_event& event) {
    json.begin_object()
        .member("service", service)
        .member("id", event.id.text())
        .member("seq", event.seq)
        .member("topic", event.topic)
        .member("key", event.key)
        .member("type", event.type)
        .member("reason", event.reason)
        .member("detail", event.detail)
        .member("written_at", event.written_at)
        .member("refused_at", event.refused_at);
    if (event.republished_at) {
        json.member("republished_at", *event.republished_at);
    }
    if (event.discarded_at) {
        json.member("discarded_at", *event.discarded_at)
            .member("discarded_by", event.discarded_by)
            .member("discarded_why", event.discarded_why);
    }
    json.end_object();
}

std::string settled_how(const outbox::refused_event& event) {
    if (event.discarded_at) {
        return fmt::format("  discarded by {}: {}", event.discarded_by, event.discarded_why);
    }
    return event.republished_at ? "  republished" : "";
}

void print_text(const std::string& service, const outbox::refused_event& event) {
    fmt::print("{} {}  {}  {}  {}  key {}  {}{}\n", service, event.id.text(),
               to_rfc3339(event.refused_at), event.reason,
               event.type.empty() ? "(no type)" : event.type, event.key, event.topic,
               settled_how(event));
}

/// What is done to one event, in a transaction. `meant`: --yes.
using change = std::function<result<void>(pg::transaction&, const std::string& service,
                                          const uuid& id, const acting& who, bool meant)>;

constexpr const char* not_meant = "dry-run";

result<void> republish_one(pg::transaction& tx, const std::string& service, const uuid& id,
                           const acting& who, bool meant) {
    const auto waiting = outbox::list_refused(tx, false, listed_max);
    const auto found = std::ranges::find(waiting, id, &outbox::refused_event::id);
    if (found == waiting.end()) {
        return fail(error_kind::not_found, "no-such-refused-event", id.text());
    }
    if (!meant) {
        fmt::print("{} {}: would be published again on {} behind all newer events of key {}; "
                   "--yes does it\n",
                   service, id.text(), found->topic, found->key);
        return {};
    }
    const auto done = outbox::republish(tx, id);
    if (done) {
        note_act(tx, who, service, "refused-event.republish", "refused-event/" + id.text());
        tx.after_commit([=] { fmt::print("{} {}: appended again\n", service, id.text()); });
    }
    return done;
}

/// A dry run is taken back, and so meets the same errors.
result<void> discard_one(pg::transaction& tx, const std::string& service, const uuid& id,
                         const acting& who, bool meant) {
    const auto done = outbox::discard(tx, id, who.by, who.why);
    if (!done) {
        return done;
    }
    if (!meant) {
        fmt::print("{} {}: would never be published; --yes does it\n", service, id.text());
        return fail(error_kind::conflict, not_meant);
    }
    note_act(tx, who, service, "refused-event.discard", "refused-event/" + id.text());
    tx.after_commit([=] { fmt::print("{} {}: discarded\n", service, id.text()); });
    return done;
}

result<void> change_each(const context& where, const arguments& given, const change& act) {
    const auto service = given.value("--service");
    const auto services = chosen_services(given);
    if (!services || !service) {
        return fail(error_kind::invalid, "usage", "--service NAME is needed");
    }
    for (std::size_t i = 1; i < given.rest().size(); ++i) {
        const auto id = uuid::parse(given.rest()[i]);
        if (!id) {
            return fail(error_kind::invalid, "usage", given.rest()[i] + " is no id");
        }
        const auto done = on_database(where, *service, [&](pg::transaction& tx) {
            return act(tx, *service, *id, acting_of(where, given), given.has("--yes"));
        });
        if (!done && done.error().slug != not_meant) {
            return done;
        }
    }
    return {};
}

} // namespace

result<void> list_refused(const context& where, const arguments& given) {
    const auto add = [&](pg::transaction& tx, const std::string& service, http::json_writer& json) {
        const auto events = outbox::list_refused(tx, given.has("--all"), listed_max);
        for (const auto& event : events) {
            add_json(json, service, event);
            if (!given.has("--json")) {
                print_text(service, event);
            }
        }
        return events.size();
    };
    return print_listing(where, given, {.name = "refused", .none = "no refused events"}, add);
}

result<void> republish_refused(const context& where, const arguments& given) {
    return change_each(where, given, republish_one);
}

result<void> discard_refused(const context& where, const arguments& given) {
    if (given.value("--why").value_or("").empty()) {
        return fail(error_kind::invalid, "usage", "discard ID… --why REASON");
    }
    return change_each(where, given, discard_one);
}

} // namespace relais::ctl
