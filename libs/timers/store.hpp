#pragma once

#include "timers/timers.hpp"

#include <map>
#include <vector>

namespace relais::timers {

/// Inside this library only: the SQL of the runner.

struct repetition {
    std::string expression;
    std::string time_zone;
    timers::catch_up catch_up = timers::catch_up::once;
};

/// A timer that this process is about to run.
struct claimed_timer {
    timer what;
    int attempt = 1; ///< with due_at: whose claim this is
    std::optional<repetition> repeats;
};

/// The pending timers of one kind and priority.
struct lane {
    std::string kind;
    int priority = 0;
    timestamp next{}; ///< when the first of them is due, or may be tried again
};

/// All that have one, most urgent first: by priority, then by time.
std::vector<lane> find_lanes(pg::transaction& tx, const std::vector<std::string>& kinds);

/// Takes due timers of a lane for a while, at most `most`, and counts the attempt.
std::vector<claimed_timer> claim(pg::transaction& tx, const lane& from, std::size_t most,
                                 timestamp now);

/// Claims that were never run do not count.
void give_back(pg::transaction& tx, const std::vector<claimed_timer>& claimed);

// For the claim's holder only: nothing, or false, when the timer was moved, cancelled, fired or
// claimed by another since.

/// Removes the timer, and reads it as it is now.
std::optional<timer> take(pg::transaction& tx, const claimed_timer& claimed);
/// Moves it to its next due time, and reads it.
std::optional<timer> advance(pg::transaction& tx, const claimed_timer& claimed, timestamp next);
bool put_back(pg::transaction& tx, const claimed_timer& claimed, timestamp again, const error& why,
              timestamp now);
bool mark_failed(pg::transaction& tx, const claimed_timer& claimed, const error& why,
                 timestamp now);

/// After the wall clock was set back: waits go on for as long as they had left, not longer.
void shorten_waits(pg::transaction& tx, timestamp now);

} // namespace relais::timers
