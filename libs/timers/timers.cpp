#include "timers/timers.hpp"

#include "timers/cron.hpp"

#include <fmt/format.h>

namespace relais::timers {
namespace {

constexpr std::size_t cron_id_size_max = 200; ///< a given-up firing adds its due time

} // namespace

void schedule(pg::transaction& tx, const timer& value) {
    tx.exec("insert into timer (id, kind, due_at, payload, priority, expires_at)"
            " values ($1, $2, $3, $4, $5, $6)"
            " on conflict (id) do update set kind = excluded.kind, due_at = excluded.due_at,"
            " payload = excluded.payload, priority = excluded.priority,"
            " expires_at = excluded.expires_at, attempts = 0, not_before = null,"
            " waits_since = null, failed_at = null, last_error = null, cron = null,"
            " time_zone = null, catch_up = null",
            {value.id, value.kind, value.due_at, value.payload, value.priority, value.expires_at});
}

void schedule_after(pg::transaction& tx, timer value, std::chrono::microseconds delay,
                    timestamp now) {
    value.due_at = now + delay;
    schedule(tx, value);
}

std::string_view to_string(catch_up how) {
    switch (how) {
    case catch_up::skip:
        return "skip";
    case catch_up::once:
        return "once";
    case catch_up::all:
        return "all";
    }
    return "once";
}

result<timestamp> schedule_cron(pg::transaction& tx, const cron_timer& value, timestamp now) {
    if (value.id.empty() || value.id.size() > cron_id_size_max) {
        return fail(error_kind::invalid, "timer-id",
                    fmt::format("1 to {} characters wanted", cron_id_size_max));
    }
    const auto when = cron::parse(value.expression, value.time_zone);
    if (!when) {
        return fail(when);
    }
    const auto kept = tx.exec(
        "insert into timer as t (id, kind, due_at, payload, priority, cron, time_zone, catch_up)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)"
        " on conflict (id) do update set payload = excluded.payload,"
        " priority = excluded.priority, catch_up = excluded.catch_up"
        " where t.kind = excluded.kind and t.cron = excluded.cron"
        " and t.time_zone = excluded.time_zone and t.failed_at is null returning t.due_at",
        {value.id, value.kind, when->next_after(now), value.payload, value.priority,
         value.expression, value.time_zone, to_string(value.catch_up)});
    if (!kept.empty()) {
        return kept.front().time(0);
    }
    tx.exec("delete from timer where id = $1", {value.id});
    return schedule_cron(tx, value, now);
}

bool cancel(pg::transaction& tx, const std::string& id) {
    return tx.exec("delete from timer where id = $1", {id}).affected() > 0;
}

bool reschedule(pg::transaction& tx, const std::string& id, timestamp due_at) {
    const auto moved = tx.exec("update timer set due_at = $2, attempts = 0, not_before = null,"
                               " waits_since = null where id = $1 and failed_at is null",
                               {id, due_at});
    return moved.affected() > 0;
}

} // namespace relais::timers
