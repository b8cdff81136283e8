#pragma once

#include <algorithm>
#include <chrono>

namespace relais::outbox {

/// What came from the stream at once.
struct portion {
    int transactions = 0;
    std::chrono::steady_clock::duration took{}; ///< until all of them were delivered
};

/// How long after a portion's begin the next one is begun. Kafka takes a request for each
/// partition, and one for a single record costs it as much as one for ten. Where several
/// transactions come while others are delivered, the broker is left alone for four times as long as
/// it worked, so that the next portion is larger; where few come, each is read at once. Not by
/// events: those of a large transaction go together as they are, and what comes beside bulk work
/// must not wait. Pure.
inline std::chrono::steady_clock::duration next_portion_after(const portion& before) {
    constexpr int several = 4;
    constexpr int times_as_long = 5;
    constexpr std::chrono::steady_clock::duration at_most = std::chrono::milliseconds(25);
    if (before.transactions < several) {
        return {};
    }
    return std::min(before.took * times_as_long, at_most);
}

} // namespace relais::outbox
