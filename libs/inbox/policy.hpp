#pragma once

#include "result/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace relais::inbox {

/// When a failed event is tried again: always after `first`; after `first`, doubling, with jitter;
/// after 5 s + N⁴ s, as delayed_job does.
enum class curve { constant, exponential, delayed_job };

/// What happens to an event type's failures. Data, so that it can be shown and tested with a table.
struct policy {
    inbox::curve curve = inbox::curve::exponential;
    std::chrono::milliseconds first{200};
    std::chrono::milliseconds longest{std::chrono::minutes(10)}; ///< caps every curve
    std::uint32_t attempts_max = 12;                             ///< then the dead letters
    std::chrono::milliseconds handler_deadline{10'000};
    /// How long an event waits for a snapshot that it needs; then it is a dead letter.
    std::chrono::milliseconds snapshot_wait{std::chrono::minutes(10)};
    /// No attempt begins later than this after the event's time; 0: whenever.
    std::chrono::milliseconds deadline{0};

    /// The wait before attempt `next` (2 for the first retry); nullopt: no more, dead letter.
    /// Not-retriable kinds (is_retriable) go to the dead letters at once. A failure's retry_after
    /// is respected, up to 15 min. `age`: since the event's time. `random` is any 64 uniform bits.
    std::optional<std::chrono::milliseconds> wait_before(std::uint32_t next, const error& failed,
                                                         std::chrono::microseconds age,
                                                         std::uint64_t random) const;
};

} // namespace relais::inbox
