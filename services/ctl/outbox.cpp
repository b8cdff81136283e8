#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ctl/listing.hpp"
#include "ctl/outbox_refused.hpp"
#include "ctl/outbox_state.hpp"
#include "http/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::ctl {

namespace {
constexpr std::size_t tenants_max = 100;
} // namespace

outbox_state look_at_outbox(pg::transaction& tx) {
    outbox_state state;
    const auto slots = tx.exec(
        "select slot_name, active,"
        " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint"
        " from pg_replication_slots where database = current_database()"
        " and slot_name like 'relais_outbox_%' order by active desc, slot_name desc limit 1");
    for (const auto& slot : slots) {
        state.slot = slot.text(0);
        state.active = slot.boolean(1);
        state.lag_bytes = slot.integer(2);
    }
    const auto unsent =
        tx.exec("select p.epoch, count(e.seq), min(e.at) from outbox_progress p"
                " left join outbox_event e on p.published is null"
                " or not pg_visible_in_snapshot(e.xid, p.published) group by p.epoch");
    state.epoch = unsent.front().integer(0);
    state.unsent = unsent.front().integer(1);
    state.oldest_unsent = unsent.front().optional_time(2);
    const auto mode =
        tx.exec("select p.mode, p.shards, (select count(distinct objid) from pg_locks where granted"
                " and classid::bigint = hashtext('relais_outbox_shard')::bigint & 4294967295"
                " and locktype = 'advisory' and database = (select oid from pg_database"
                " where datname = current_database())) from outbox_progress p");
    state.mode = mode.front().text(0);
    state.shards = mode.front().integer(1);
    state.shards_held = mode.front().integer(2);
    state.blocked = outbox::find_blocked(tx);
    state.refused = outbox::count_refused(tx);
    state.staged = outbox::list_staged(tx, tenants_max);
    return state;
}

namespace {

double seconds_since(timestamp time) {
    return std::chrono::duration<double>(system_clock().now() - time).count();
}

void print_blocked(const outbox::blocked_position& at) {
    fmt::print("    BLOCKED for {:.0f} s, {} tries: {}\n", seconds_since(at.since), at.tries,
               at.reason);
    if (at.id) {
        fmt::print("    event   {} {} on {}, key {}\n", at.id->text(),
                   at.type.empty() ? "(no type)" : at.type, at.topic, at.key);
    }
    fmt::print("    detail  {}\n    next    {}\n", at.detail, at.next_step());
}

void print_text(const std::string& service, const outbox_state& state) {
    if (state.mode == "polling") {
        fmt::print("{:<18} polling, {} of {} shards held  {:>6} unsent", service, state.shards_held,
                   state.shards, state.unsent);
    } else {
        fmt::print("{:<18} {:<28} {:<8} lag {:>9} bytes  {:>6} unsent", service,
                   state.slot.empty() ? "no slot" : state.slot,
                   state.slot.empty() ? "" : (state.active ? "read" : "not read"), state.lag_bytes,
                   state.unsent);
    }
    if (state.oldest_unsent) {
        fmt::print(", the oldest for {:.1f} s", seconds_since(*state.oldest_unsent));
    }
    fmt::print("\n");
    if (state.blocked) {
        print_blocked(*state.blocked);
    }
    if (state.refused > 0) {
        fmt::print("    {} refused and left behind: relaisctl outbox refused --service {}\n",
                   state.refused, service);
    }
    for (const auto& each : state.staged) {
        fmt::print("    {:>6} staged by {}, the oldest for {:.1f} s\n", each.count,
                   each.tenant.empty() ? "(no tenant)" : each.tenant, seconds_since(each.oldest));
    }
}

void add_staged(http::json_writer& json, const std::vector<outbox::tenant_staged>& all) {
    json.begin_array("staged");
    for (const auto& each : all) {
        json.begin_object()
            .member("tenant", each.tenant)
            .member("count", each.count)
            .member("oldest", each.oldest)
            .end_object();
    }
    json.end_array();
}

void add_blocked(http::json_writer& json, const outbox::blocked_position& at) {
    json.begin_object("blocked");
    if (at.id) {
        json.member("id", at.id->text())
            .member("topic", at.topic)
            .member("key", at.key)
            .member("type", at.type);
    }
    json.member("reason", at.reason)
        .member("detail", at.detail)
        .member("since", at.since)
        .member("tried_at", at.tried_at)
        .member("tries", at.tries)
        .member("next_step", at.next_step())
        .end_object();
}

void add_json(http::json_writer& json, const std::string& service, const outbox_state& state) {
    json.begin_object()
        .member("service", service)
        .member("epoch", state.epoch)
        .member("mode", state.mode);
    if (state.mode == "polling") {
        json.member("shards", state.shards).member("shards_held", state.shards_held);
    }
    if (state.slot.empty()) {
        json.null_member("slot");
    } else {
        json.member("slot", state.slot);
    }
    json.member("active", state.active)
        .member("lag_bytes", state.lag_bytes)
        .member("unsent", state.unsent);
    if (state.oldest_unsent) {
        json.member("oldest_unsent", *state.oldest_unsent);
    } else {
        json.null_member("oldest_unsent");
    }
    if (state.blocked) {
        add_blocked(json, *state.blocked);
    } else {
        json.null_member("blocked");
    }
    json.member("refused", state.refused);
    add_staged(json, state.staged);
    json.end_object();
}

result<void> show_outboxes(const context& where, const arguments& given) {
    const auto add = [&](pg::transaction& tx, const std::string& service, http::json_writer& json) {
        const auto state = look_at_outbox(tx);
        add_json(json, service, state);
        if (!given.has("--json")) {
            print_text(service, state);
        }
        return std::size_t{1};
    };
    return print_listing(where, given, {.name = "outboxes"}, add);
}

result<void> run_outbox(const context& where, std::span<const std::string> words) {
    const auto given =
        arguments::parse(words, {"--service", "--by", "--why"}, {"--json", "--all", "--yes"});
    if (!given) {
        return fail(given);
    }
    const auto& rest = given->rest();
    if (rest.empty()) {
        return show_outboxes(where, *given);
    }
    if (rest.front() == "refused" && rest.size() == 1) {
        return list_refused(where, *given);
    }
    if (rest.front() == "republish" && rest.size() >= 2) {
        return republish_refused(where, *given);
    }
    if (rest.front() == "discard" && rest.size() >= 2) {
        return discard_refused(where, *given);
    }
    return fail(error_kind::invalid, "usage",
                "outbox, outbox refused, outbox republish ID… or outbox discard ID…");
}

} // namespace

command outbox_command() {
    return {"outbox",
            "outbox [refused [--all] | republish ID… [--why TEXT] | discard ID… --why REASON]\n"
            "      [--by WHO] [--yes] [--service NAME] [--json]",
            "what waits to be published, who publishes, and what holds it up; bulk work by tenant "
            "(the\n"
            "      100 that have most staged); the events that Kafka refused for good (--all: also "
            "the\n"
            "      settled ones), to append them again or give them up for good, and with them the "
            "one\n"
            "      that holds up the rest (without --yes it only says what it would do)",
            run_outbox};
}

} // namespace relais::ctl
