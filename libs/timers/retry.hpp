#pragma once

#include "result/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace relais::timers {

/// When a failed timer is tried again: always after `first`; after `first`, doubling, with jitter;
/// after 5 s + N⁴ s, as delayed_job does.
enum class curve { constant, exponential, delayed_job };

/// What happens to a kind's failures. Data, so that it can be shown and tested with a table.
struct policy {
    timers::curve curve = timers::curve::exponential;
    std::chrono::milliseconds first{std::chrono::seconds(1)};
    std::chrono::milliseconds longest{std::chrono::minutes(10)}; ///< caps every curve
    /// Counted before they run, so that one that ends the process counts too. Then the timer is
    /// given up; it stays in the table, marked, for people to look at.
    int attempts_max = 25;

    /// The wait after a failed attempt (from 1), or nullopt: give up. Kinds of error that trying
    /// again cannot mend are given up at once. A failure's retry_after is respected, up to
    /// `longest`. `random` is any 64 uniform bits.
    std::optional<std::chrono::milliseconds> wait_after(int attempt, const error& failed,
                                                        std::uint64_t random) const;
};

/// delayed_job's own: 5 s + N⁴ s, 25 attempts, which take 20 days.
inline constexpr policy like_delayed_job{.curve = curve::delayed_job,
                                         .longest = std::chrono::days(7)};

} // namespace relais::timers
