#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"
#include "inbox/invoke.hpp"

#include <optional>
#include <string>
#include <vector>

namespace relais::inbox {

/// After this many attempts that ended the process an event is a dead letter.
inline constexpr std::uint32_t crashes_max = 3;

/// Attempts of an event that ended a process.
struct crash_count {
    event_id event;
    std::uint32_t crashes = 0;
};

/// The first event of a held key, on its way through an attempt.
struct held_work {
    const place& at;
    const handlers& all;
    const clock& time;
    std::string key;
    /// It was parked by this process and never tried: its attempt needs no count beforehand,
    /// because a crash would be noticed by the next start, which counts.
    bool fresh = false;
    /// What this process found when it looked at the key's first event for the first time. Attempts
    /// that were counted since then were its own, also when it does not know whether the count was
    /// committed: the database broke them off, they were no crashes.
    std::optional<crash_count> found;
};

struct held_report {
    enum class state {
        free,    ///< nothing is held under this key any more
        next,    ///< an event is done; the next one of the key can be looked at
        begun,   ///< the attempt is counted: now run_attempt()
        waiting, ///< for its time, or for snapshots
    };
    held_report::state now = state::free;
    std::optional<outcome> result;
    std::vector<events::snapshot_need> arrived;
    std::vector<held_key> waiting;
};

/// What is known when a transaction failed.
struct attempt_progress {
    std::optional<parked_event> first; ///< the event whose turn it is
    std::optional<crash_count> found;  ///< for the next held_work
    bool running = false;              ///< its handler was called, and did not succeed
};

/// Looks at the first event of a key: gives up what is expired, exhausted or waited too long for
/// its snapshot, counts the attempt otherwise (a fresh one is run at once).
result<held_report> begin_attempt(pg::transaction& tx, const held_work& work,
                                  attempt_progress& progress, std::uint64_t random);

/// Runs the handler of `progress.first`.
result<held_report> run_attempt(pg::transaction& tx, const held_work& work,
                                attempt_progress& progress);

/// After a failure: waits for the next attempt, or buries the event and frees the next one.
result<held_report> settle_attempt(pg::transaction& tx, const held_work& work,
                                   const parked_event& first, const error& reason,
                                   std::uint64_t random);

} // namespace relais::inbox
