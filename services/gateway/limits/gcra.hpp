#pragma once

#include "result/result.hpp"

#include <chrono>
#include <cstdint>

namespace relais::gateway {

/// How much is allowed: `count` units in each `window`, of which `burst` may come at once. Made
/// once from the configuration; a value.
class rate {
public:
    /// Error: `invalid` / "invalid-rate" with the reason: a part is 0, the window is longer than 31
    /// days, more than one unit a nanosecond, or filling the burst would take more than 100 days.
    static result<rate> make(std::uint64_t count, std::chrono::seconds window, std::uint64_t burst);

    std::uint64_t count() const {
        return count_;
    }

    std::chrono::seconds window() const {
        return window_;
    }

    /// The most units that can be left.
    std::uint64_t burst() const {
        return burst_;
    }

    /// The time that earns one unit: window / count, rounded up to whole nanoseconds, so that a
    /// window never holds more than count (and up to 1/emission less: 0.1 % at a million units a
    /// second).
    std::chrono::nanoseconds emission() const {
        return emission_;
    }

    /// The time that earns the burst.
    std::chrono::nanoseconds capacity() const {
        return capacity_;
    }

    friend bool operator==(const rate&, const rate&) = default;

private:
    rate() = default;

    std::uint64_t count_ = 0;
    std::chrono::seconds window_{};
    std::uint64_t burst_ = 0;
    std::chrono::nanoseconds emission_{};
    std::chrono::nanoseconds capacity_{};
};

/// What a limit says about one request.
struct limit_decision {
    /// retry_after of a request that costs more than the whole burst.
    static constexpr auto never = std::chrono::nanoseconds::max();

    bool allowed = true;
    std::uint64_t remaining = 0;            ///< units that could be taken now
    std::chrono::nanoseconds full_after{};  ///< until remaining is the burst
    std::chrono::nanoseconds next_after{};  ///< until remaining is one more; 0 when it is the burst
    std::chrono::nanoseconds retry_after{}; ///< until the same request passes; 0 when allowed

    friend bool operator==(const limit_decision&, const limit_decision&) = default;
};

struct gcra_step {
    limit_decision decision;
    /// What to keep for the next request of the same subject; the given one when nothing changes.
    std::chrono::nanoseconds tat{};
};

/// How far a stored time may lie beyond what the rate allows before it is taken for the work of a
/// clock that went back: more than the event loops' cached times differ.
inline constexpr std::chrono::nanoseconds gcra_slack = std::chrono::seconds(1);

/// The generic cell rate algorithm (ITU-T I.371 annex A, the virtual scheduling form) with a cost:
/// the whole state of a subject is one theoretical arrival time, the moment when its allowance is
/// full again. `tat` at or before `now` (0 for a new subject) is a full allowance.
///
/// A request is allowed when `cost` units are left, to the nanosecond; a refused one changes
/// nothing, so hammering does not prolong the wait. Cost 0 looks and takes nothing. Times are
/// steady and count from any zero; arithmetic saturates. When `now` goes back, or a reloaded rate
/// is smaller, a `tat` that lies too far ahead counts as an empty allowance and is pulled back by
/// the next request: nobody waits for longer than the rate says.
gcra_step gcra_take(const rate& allowed, std::chrono::nanoseconds tat, std::chrono::nanoseconds now,
                    std::uint64_t cost);

} // namespace relais::gateway
