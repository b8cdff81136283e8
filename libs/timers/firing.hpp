#pragma once

#include "timers/retry.hpp"
#include "timers/store.hpp"

#include <cstdint>
#include <functional>

namespace relais::timers {

/// What a kind of timer does, in the transaction that removes the timer (or moves a cron timer to
/// its next due time). `now` is when it fires, due.due_at what it fires for. May set the same id
/// anew, or cancel it.
using handler = std::function<result<void>(pg::transaction&, const timer& due, timestamp now)>;

enum class fired {
    yes,     ///< its effects are in the transaction
    gone,    ///< moved, cancelled, fired or taken by another meanwhile
    early,   ///< the clock was set back since the claim: given back
    skipped, ///< a missed due time of catch_up::skip
    expired, ///< given up: its deadline has passed
    crashed, ///< given up: its last attempts ended the process
};

/// Fires a claimed timer. An error is the handler's (or `invalid` of a cron expression that cannot
/// be read any more) and must roll the transaction back; then settle().
result<fired> fire(pg::transaction& tx, const claimed_timer& claimed, const handler& effect,
                   const policy& failures, timestamp now);

/// After a failure, in a transaction of its own: waits for the next attempt (false), or gives up
/// (true). A cron timer's given-up firing stays as a timer of its own, "<id>@<due time>", and the
/// schedule goes on.
bool settle(pg::transaction& tx, const claimed_timer& claimed, const policy& failures,
            const error& why, timestamp now, std::uint64_t random);

} // namespace relais::timers
