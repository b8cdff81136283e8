#pragma once

#include <atomic>

namespace relais::gateway {

/// Wakes one thread that sleeps on a descriptor. Ringing costs a system call only while it sleeps.
/// No ring is lost: what a ringer wrote before ring() is seen by the sleeper behind listen(), or
/// the descriptor becomes readable.
class doorbell {
public:
    /// Throws std::system_error when there is no descriptor left.
    doorbell();
    ~doorbell();
    doorbell(const doorbell&) = delete;
    doorbell& operator=(const doorbell&) = delete;

    /// Any thread; never waits.
    void ring() noexcept;

    /// From now on rings are heard. Look once more for work behind this, then sleep.
    void listen() noexcept;

    /// Awake: rings cost nothing again, and the descriptor is not readable any more.
    void answer() noexcept;

    /// Readable when it rang while somebody listened.
    int descriptor() const noexcept {
        return descriptor_;
    }

private:
    alignas(64) std::atomic<bool> listening_{false}; ///< nothing else is written on this line
    int descriptor_;
};

} // namespace relais::gateway
