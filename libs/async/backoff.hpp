#pragma once

#include <chrono>
#include <cstdint>

namespace relais::async {

/// Exponential backoff with full jitter: the wait before try n (from 1) is uniform in
/// [0, min(longest, first · 2^(n-1))], but at least `first / 2` so that it is never a busy loop.
struct backoff {
    std::chrono::milliseconds first{100};
    std::chrono::milliseconds longest{30'000};

    /// `random` is any 64 uniform bits; a pure function, so policies can be tested with a table.
    std::chrono::milliseconds wait(unsigned attempt, std::uint64_t random) const;

    /// The same with the system's randomness.
    std::chrono::milliseconds wait(unsigned attempt) const;
};

} // namespace relais::async
