#pragma once

#include "timers/timers.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace relais::timers {

/// A timer as people look at it.
struct timer_row {
    timer what;
    std::string cron; ///< empty: once
    std::string time_zone;
    std::string catch_up;
    int attempts = 0;
    std::optional<timestamp> not_before; ///< claimed, or waits for its next attempt
    std::optional<timestamp> failed_at;  ///< given up
    std::string last_error;
    timestamp created_at{};
};

struct timer_filter {
    std::string kind;         ///< empty: all
    bool failed_only = false; ///< given-up ones, newest first; else pending ones, next first
    std::size_t limit = 100;
};

/// Throws pg::failure, as all of these. Without a kind it looks at each kind's head.
std::vector<timer_row> list_timers(pg::transaction& tx, const timer_filter& filter);

std::optional<timer_row> find_timer(pg::transaction& tx, const std::string& id);

struct kind_count {
    std::string kind;
    std::int64_t pending = 0; ///< due or not
    std::int64_t due = 0;
    std::int64_t failed = 0;
    std::optional<timestamp> oldest_due; ///< the longest due one's time
    std::optional<timestamp> next;
};

/// By kind. Reads the whole table: seconds for millions.
std::vector<kind_count> count_timers(pg::transaction& tx, timestamp now);

/// Tries a given-up one again, now, without its deadline. Errors: `not_found` / "no-such-timer",
/// `conflict` / "not-given-up".
result<void> retry(pg::transaction& tx, const std::string& id);

/// Makes a pending one due now: a cron timer fires for now, and goes on as written. Errors:
/// `not_found` / "no-such-timer", `conflict` / "timer-given-up".
result<void> run_now(pg::transaction& tx, const std::string& id, timestamp now);

} // namespace relais::timers
