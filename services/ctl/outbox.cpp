#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ctl/outbox_state.hpp"
#include "http/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::ctl {

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
    return state;
}

namespace {

void print_text(const std::string& service, const outbox_state& state) {
    fmt::print("{:<18} {:<28} {:<8} lag {:>9} bytes  {:>6} unsent", service,
               state.slot.empty() ? "no slot" : state.slot,
               state.slot.empty() ? "" : (state.active ? "read" : "not read"), state.lag_bytes,
               state.unsent);
    if (state.oldest_unsent) {
        const auto age = std::chrono::duration<double>(system_clock().now() - *state.oldest_unsent);
        fmt::print(", the oldest for {:.1f} s", age.count());
    }
    fmt::print("\n");
}

void add_json(http::json_writer& json, const std::string& service, const outbox_state& state) {
    json.begin_object().member("service", service).member("epoch", state.epoch);
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
    json.end_object();
}

result<void> run_outbox(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--service"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    if (!given->rest().empty()) {
        return fail(error_kind::invalid, "usage", "outbox takes no words");
    }
    const auto services = chosen_services(*given);
    if (!services) {
        return fail(services);
    }
    http::json_writer json;
    json.begin_object().begin_array("outboxes");
    for (const auto& service : *services) {
        const auto done = on_database(where, service, [&](pg::transaction& tx) -> result<void> {
            const auto state = look_at_outbox(tx);
            add_json(json, service, state);
            if (!given->has("--json")) {
                print_text(service, state);
            }
            return {};
        });
        if (!done) {
            return done;
        }
    }
    json.end_array().end_object();
    if (given->has("--json")) {
        fmt::print("{}\n", json.take());
    }
    return {};
}

} // namespace

command outbox_command() {
    return {"outbox", "outbox [--service NAME] [--json]",
            "what waits to be published, and who publishes", run_outbox};
}

} // namespace relais::ctl
