#pragma once

#include "clock/clock.hpp"
#include "postgres/transaction.hpp"
#include "result/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relais::timers {

/// Something to do at a time, once. The id is chosen by the caller (≤ 255 characters), so that the
/// same timer can be set again (moves it) or cancelled: "upload-expiry:<upload id>".
struct timer {
    std::string id;
    std::string kind; ///< which handler
    timestamp due_at{};
    std::string payload;
    int priority = 0; ///< lower first among the due ones
    /// Not fired by then (no runner, a long queue, failures): given up and counted, not fired.
    std::optional<timestamp> expires_at;
};

/// In the caller's transaction. An id that is there already is replaced, whatever it was.
void schedule(pg::transaction& tx, const timer& value);
/// The same, due a while from now; value.due_at does not count.
void schedule_after(pg::transaction& tx, timer value, std::chrono::microseconds delay,
                    timestamp now);

/// What to do about due times that passed while no runner was there.
enum class catch_up {
    skip, ///< nothing: goes on with the next one
    once, ///< fires once, for the latest
    all,  ///< fires for each, in order
};

std::string_view to_string(catch_up how);

/// A due time that no runner came to for this long counts as missed by catch_up::skip.
inline constexpr std::chrono::minutes missed_after{1};

/// Something to do again and again: a cron expression (cron_fields.hpp) on the wall clock of an
/// IANA time zone (cron.hpp says what happens when clocks are set). Fires exactly once for each due
/// time; the next one is set in the transaction of the handler's effects. The handler sees the due
/// time it fires for.
struct cron_timer {
    std::string id; ///< ≤ 200 characters
    std::string kind;
    std::string expression; ///< "0 3 * * *"
    std::string time_zone;  ///< "Europe/Brussels"
    timers::catch_up catch_up = timers::catch_up::once;
    std::string payload;
    int priority = 0;
};

/// Meant to be called at each start: the same expression, zone and kind again leave the next due
/// time alone, so that what was missed is caught up; others begin anew after `now`. The next due
/// time. Errors: `invalid` / "cron-expression", "time-zone", "timer-id", with what was expected.
result<timestamp> schedule_cron(pg::transaction& tx, const cron_timer& value, timestamp now);

/// False when it was not there (never set, or already fired).
bool cancel(pg::transaction& tx, const std::string& id);

/// Moves a pending one; its attempts count from 0 again. Of a cron timer only the next firing is
/// moved. False when it is not there or was given up.
bool reschedule(pg::transaction& tx, const std::string& id, timestamp due_at);

} // namespace relais::timers
