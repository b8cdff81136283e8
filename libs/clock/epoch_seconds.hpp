#pragma once

#include "clock/clock.hpp"

#include <optional>

namespace relais {

/// Seconds since 1970, as metrics say when something was (…_timestamp_seconds).
inline double epoch_seconds(timestamp time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// 0: there is no such moment.
inline double epoch_seconds(std::optional<timestamp> time) {
    return time ? epoch_seconds(*time) : 0;
}

} // namespace relais
