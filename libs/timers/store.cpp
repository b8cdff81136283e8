#include "timers/store.hpp"

#include <algorithm>
#include <tuple>

namespace relais::timers {
namespace {

constexpr int batch = 16;
/// After a crash its timers wait this long; longer than a batch normally takes.
constexpr std::chrono::seconds claim_time{15};

/// Longer than any claim or retry waits: such a not_before is from before the wall clock was set
/// back, and does not count.
constexpr std::chrono::minutes believed_wait{20};

constexpr std::string_view claim_sql =
    "with due as ("
    "  select id from timer where failed_at is null and due_at <= $1"
    "    and (not_before is null or not_before <= $1 or not_before > $5)"
    "    and kind = any($2::text[])"
    "  order by priority, due_at limit $4 for update skip locked) "
    "update timer t set attempts = attempts + 1, not_before = $3 from due where t.id = due.id"
    " returning t.id, t.kind, t.due_at, t.payload, t.priority, t.attempts";

constexpr std::string_view next_sql = "select min(greatest(due_at, not_before)) from timer"
                                      " where failed_at is null and kind = any($1::text[])";

} // namespace

void schedule(pg::transaction& tx, const timer& value) {
    tx.exec("insert into timer (id, kind, due_at, payload, priority) values ($1, $2, $3, $4, $5)"
            " on conflict (id) do update set kind = excluded.kind, due_at = excluded.due_at,"
            " payload = excluded.payload, priority = excluded.priority, attempts = 0,"
            " not_before = null, failed_at = null, last_error = null",
            {value.id, value.kind, value.due_at, value.payload, value.priority});
}

bool cancel(pg::transaction& tx, const std::string& id) {
    return tx.exec("delete from timer where id = $1", {id}).affected() > 0;
}

look claim(pg::transaction& tx, const std::vector<std::string>& kinds, timestamp now) {
    const auto of_kinds = pg::parameter::array(kinds);
    look found;
    for (const auto row :
         tx.exec(claim_sql, {now, of_kinds, now + claim_time, batch, now + believed_wait})) {
        found.claimed.push_back({timer{.id = row.text(0),
                                       .kind = row.text(1),
                                       .due_at = row.time(2),
                                       .payload = row.text(3),
                                       .priority = static_cast<int>(row.integer(4))},
                                 static_cast<int>(row.integer(5))});
    }
    std::ranges::sort(found.claimed, {}, [](const claimed_timer& each) {
        return std::tie(each.what.priority, each.what.due_at);
    });
    if (found.claimed.empty()) {
        found.next = tx.exec(next_sql, {of_kinds}).front().optional_time(0);
    }
    return found;
}

bool take(pg::transaction& tx, const claimed_timer& claimed) {
    const auto gone = tx.exec("delete from timer where id = $1 and due_at = $2 and attempts = $3",
                              {claimed.what.id, claimed.what.due_at, claimed.attempt});
    return gone.affected() > 0;
}

void put_back(pg::transaction& tx, const claimed_timer& claimed, std::optional<timestamp> again,
              timestamp now, const error& why) {
    const std::optional<timestamp> given_up = again ? std::nullopt : std::optional(now);
    tx.exec("update timer set not_before = $4::timestamptz, failed_at = $5::timestamptz,"
            " last_error = $6 where id = $1 and due_at = $2 and attempts = $3",
            {claimed.what.id, claimed.what.due_at, claimed.attempt, again, given_up,
             why.slug + ": " + why.detail});
}

} // namespace relais::timers
