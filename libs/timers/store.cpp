#include "timers/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace relais::timers {
namespace {

/// Instances' clocks differ by less.
constexpr std::chrono::seconds clocks_differ{10};

// A walk through the first two columns of the index timer_next, one step for each kind and
// priority.
constexpr std::string_view lanes_sql =
    "with recursive lane as ("
    " select k.kind, (select min(t.priority) from timer t"
    "   where t.kind = k.kind and t.failed_at is null) as priority"
    " from unnest($1::text[]) as k (kind)"
    " union all"
    " select l.kind, (select min(t.priority) from timer t where t.kind = l.kind"
    "   and t.failed_at is null and t.priority > l.priority)"
    " from lane l where l.priority is not null)"
    " select l.kind, l.priority, (select greatest(t.due_at, t.not_before) from timer t"
    "   where t.kind = l.kind and t.priority = l.priority and t.failed_at is null"
    "   order by greatest(t.due_at, t.not_before) limit 1)"
    " from lane l where l.priority is not null";

// The limit is part of the text, and the ids are an array: so the plan is the index's head and the
// primary key whatever the statistics say. After a crash its timers wait for 15 s, which is longer
// than a claim is believed by its holder; then for longer and for different times, so that one that
// ends the process does not take the same others with it again and again.
constexpr std::string_view claim_sql =
    "update timer set attempts = attempts + 1, waits_since = $3,"
    " not_before = $3::timestamptz + interval '15 s' * (1 + random() * attempts)"
    " where id = any(array(select id from timer where kind = $1 and priority = $2"
    " and failed_at is null and greatest(due_at, not_before) <= $3"
    " order by greatest(due_at, not_before) limit {} for update skip locked))"
    " returning id, kind, due_at, payload, priority, expires_at, attempts, cron, time_zone,"
    " catch_up";

timer read_timer(const pg::row& row) {
    return {.id = row.text(0),
            .kind = row.text(1),
            .due_at = row.time(2),
            .payload = row.text(3),
            .priority = static_cast<int>(row.integer(4)),
            .expires_at = row.optional_time(5)};
}

catch_up read_catch_up(std::string_view text) {
    return text == "skip" ? catch_up::skip : text == "all" ? catch_up::all : catch_up::once;
}

claimed_timer read_claimed(const pg::row& row) {
    claimed_timer read{read_timer(row), static_cast<int>(row.integer(6)), std::nullopt};
    if (!row.is_null(7)) {
        read.repeats = repetition{row.text(7), row.text(8), read_catch_up(row.view(9))};
    }
    return read;
}

std::optional<timer> first_of(const pg::rows& found) {
    return found.empty() ? std::nullopt : std::optional(read_timer(found.front()));
}

std::string text_of(const error& why) {
    return why.detail.empty() ? why.slug : why.slug + ": " + why.detail;
}

} // namespace

std::vector<lane> find_lanes(pg::transaction& tx, const std::vector<std::string>& kinds) {
    std::vector<lane> lanes;
    for (const auto& row : tx.exec(lanes_sql, {pg::parameter::array(kinds)})) {
        if (const auto next = row.optional_time(2)) {
            lanes.push_back({row.text(0), static_cast<int>(row.integer(1)), *next});
        }
    }
    std::ranges::sort(lanes, {},
                      [](const lane& each) { return std::tie(each.priority, each.next); });
    return lanes;
}

std::vector<claimed_timer> claim(pg::transaction& tx, const lane& from, std::size_t most,
                                 timestamp now) {
    std::vector<claimed_timer> claimed;
    for (const auto& row : tx.exec(fmt::format(claim_sql, most), {from.kind, from.priority, now})) {
        claimed.push_back(read_claimed(row));
    }
    return claimed;
}

void give_back(pg::transaction& tx, const std::vector<claimed_timer>& claimed) {
    for (const auto& each : claimed) {
        tx.exec("update timer set attempts = attempts - 1, not_before = null, waits_since = null"
                " where id = $1 and due_at = $2 and attempts = $3 and failed_at is null",
                {each.what.id, each.what.due_at, each.attempt});
    }
}

std::optional<timer> take(pg::transaction& tx, const claimed_timer& claimed) {
    return first_of(tx.exec("delete from timer where id = $1 and due_at = $2 and attempts = $3"
                            " and failed_at is null"
                            " returning id, kind, due_at, payload, priority, expires_at",
                            {claimed.what.id, claimed.what.due_at, claimed.attempt}));
}

std::optional<timer> advance(pg::transaction& tx, const claimed_timer& claimed, timestamp next) {
    return first_of(tx.exec("update timer set due_at = $4, attempts = 0, not_before = null,"
                            " waits_since = null, last_error = null"
                            " where id = $1 and due_at = $2 and attempts = $3"
                            " and failed_at is null and cron is not null"
                            " returning id, kind, due_at, payload, priority, expires_at",
                            {claimed.what.id, claimed.what.due_at, claimed.attempt, next}));
}

bool put_back(pg::transaction& tx, const claimed_timer& claimed, timestamp again, const error& why,
              timestamp now) {
    return tx.exec(
                 "update timer set not_before = $4, waits_since = $5, last_error = $6"
                 " where id = $1 and due_at = $2 and attempts = $3 and failed_at is null",
                 {claimed.what.id, claimed.what.due_at, claimed.attempt, again, now, text_of(why)})
               .affected() > 0;
}

bool mark_failed(pg::transaction& tx, const claimed_timer& claimed, const error& why,
                 timestamp now) {
    return tx.exec("update timer set not_before = null, waits_since = null, failed_at = $4,"
                   " last_error = $5"
                   " where id = $1 and due_at = $2 and attempts = $3 and failed_at is null",
                   {claimed.what.id, claimed.what.due_at, claimed.attempt, now, text_of(why)})
               .affected() > 0;
}

void shorten_waits(pg::transaction& tx, timestamp now) {
    tx.exec("update timer set not_before = $1::timestamptz + (not_before - waits_since),"
            " waits_since = $1 where failed_at is null and waits_since > $2",
            {now, now + clocks_differ});
}

} // namespace relais::timers
