#pragma once

#include <chrono>

namespace relais::gateway {

/// How long a stop waits at most.
struct drain_settings {
    std::chrono::milliseconds requests{20'000}; ///< for those that are under way
    /// For uploads: breaking one off costs its sender all that was sent.
    std::chrono::milliseconds uploads_max{120'000};
};

} // namespace relais::gateway
