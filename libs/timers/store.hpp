#pragma once

#include "timers/timers.hpp"

#include <vector>

namespace relais::timers {

/// Inside this library only: the SQL of the runner.

/// A timer that this process is about to run.
struct claimed_timer {
    timer what;
    int attempt = 1;
};

struct look {
    std::vector<claimed_timer> claimed; ///< lowest priority number first, then by due time
    std::optional<timestamp> next;      ///< when another one may be due
};

/// Takes due timers of these kinds for a while and counts the attempt.
look claim(pg::transaction& tx, const std::vector<std::string>& kinds, timestamp now);

/// Removes the timer; false when it was moved, cancelled, fired or taken by another meanwhile.
bool take(pg::transaction& tx, const claimed_timer& claimed);

/// Says when to try again; nullopt: never.
void put_back(pg::transaction& tx, const claimed_timer& claimed, std::optional<timestamp> again,
              timestamp now, const error& why);

} // namespace relais::timers
