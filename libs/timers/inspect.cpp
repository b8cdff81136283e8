#include "timers/inspect.hpp"

#include "timers/store.hpp"

#include <algorithm>
#include <tuple>

namespace relais::timers {
namespace {

#define RELAIS_TIMER_COLUMNS                                                                       \
    "select id, kind, due_at, payload, priority, expires_at, cron, time_zone, catch_up,"           \
    " attempts, not_before, failed_at, last_error, created_at from timer "

timer_row read_row(const pg::row& row) {
    return {.what = {.id = row.text(0),
                     .kind = row.text(1),
                     .due_at = row.time(2),
                     .payload = row.text(3),
                     .priority = static_cast<int>(row.integer(4)),
                     .expires_at = row.optional_time(5)},
            .cron = row.optional_text(6).value_or(""),
            .time_zone = row.optional_text(7).value_or(""),
            .catch_up = row.optional_text(8).value_or(""),
            .attempts = static_cast<int>(row.integer(9)),
            .not_before = row.optional_time(10),
            .failed_at = row.optional_time(11),
            .last_error = row.optional_text(12).value_or(""),
            .created_at = row.time(13)};
}

std::vector<std::string> pending_kinds(pg::transaction& tx) {
    // One step of the index for each kind, as in find_lanes().
    const auto found =
        tx.exec("with recursive k as ("
                " select (select min(kind) from timer where failed_at is null) as kind"
                " union all select (select min(t.kind) from timer t where t.failed_at is null"
                "   and t.kind > k.kind) from k where k.kind is not null)"
                " select kind from k where kind is not null");
    std::vector<std::string> kinds;
    for (const auto& row : found) {
        kinds.push_back(row.text(0));
    }
    return kinds;
}

void append(std::vector<timer_row>& all, const pg::rows& found) {
    for (const auto& row : found) {
        all.push_back(read_row(row));
    }
}

error missing(const std::string& id) {
    return {error_kind::not_found, "no-such-timer", id, "", std::nullopt};
}

} // namespace

std::vector<timer_row> list_timers(pg::transaction& tx, const timer_filter& filter) {
    std::vector<timer_row> all;
    if (filter.failed_only) {
        append(all,
               tx.exec(RELAIS_TIMER_COLUMNS "where failed_at is not null and ($1 = '' or kind = $1)"
                                            " order by failed_at desc limit $2",
                       {filter.kind, filter.limit}));
        return all;
    }
    const auto kinds = filter.kind.empty() ? pending_kinds(tx) : std::vector{filter.kind};
    for (const auto& lane : find_lanes(tx, kinds)) {
        append(all, tx.exec(RELAIS_TIMER_COLUMNS "where kind = $1 and priority = $2"
                                                 " and failed_at is null"
                                                 " order by greatest(due_at, not_before) limit $3",
                            {lane.kind, lane.priority, filter.limit}));
    }
    std::ranges::sort(
        all, {}, [](const timer_row& each) { return std::tie(each.what.due_at, each.what.id); });
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(std::min(filter.limit, all.size())),
              all.end());
    return all;
}

std::optional<timer_row> find_timer(pg::transaction& tx, const std::string& id) {
    const auto found = tx.exec(RELAIS_TIMER_COLUMNS "where id = $1", {id});
    return found.empty() ? std::nullopt : std::optional(read_row(found.front()));
}

std::vector<kind_count> count_timers(pg::transaction& tx, timestamp now) {
    const auto found = tx.exec("select kind, count(*) filter (where failed_at is null),"
                               " count(*) filter (where failed_at is null and due_at <= $1),"
                               " count(*) filter (where failed_at is not null),"
                               " min(due_at) filter (where failed_at is null and due_at <= $1),"
                               " min(due_at) filter (where failed_at is null and due_at > $1)"
                               " from timer group by kind order by kind",
                               {now});
    std::vector<kind_count> counts;
    for (const auto& row : found) {
        counts.push_back({row.text(0), row.integer(1), row.integer(2), row.integer(3),
                          row.optional_time(4), row.optional_time(5)});
    }
    return counts;
}

result<void> retry(pg::transaction& tx, const std::string& id) {
    const auto again = tx.exec("update timer set failed_at = null, attempts = 0, not_before = null,"
                               " waits_since = null, expires_at = null"
                               " where id = $1 and failed_at is not null",
                               {id});
    if (again.affected() > 0) {
        return {};
    }
    if (!find_timer(tx, id)) {
        return std::unexpected(missing(id));
    }
    return fail(error_kind::conflict, "not-given-up",
                id + " is pending; run-now makes it due at once");
}

result<void> run_now(pg::transaction& tx, const std::string& id, timestamp now) {
    // What is due already keeps its time, which a cron timer may still have to catch up with.
    const auto moved = tx.exec("update timer set due_at = least(due_at, $2), attempts = 0,"
                               " not_before = null, waits_since = null"
                               " where id = $1 and failed_at is null",
                               {id, now});
    if (moved.affected() > 0) {
        return {};
    }
    if (!find_timer(tx, id)) {
        return std::unexpected(missing(id));
    }
    return fail(error_kind::conflict, "timer-given-up", id + " was given up; retry tries it again");
}

} // namespace relais::timers
