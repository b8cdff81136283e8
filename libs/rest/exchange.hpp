#pragma once

#include "rest/client.hpp"

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace relais::rest {

/// Ends one exchange from another thread when its time is up. The library's own timeout starts anew
/// with every byte, so a slow answer would never hit it.
class time_limit {
public:
    /// Called on the loop's thread; closes the connection of the exchange that registered, or keeps
    /// one that comes later from starting.
    void expire() {
        const std::lock_guard lock(mutex_);
        expired_ = true;
        if (close_) {
            close_();
        }
    }

    bool expired() const {
        return expired_;
    }

    /// The exchange hands in how it can be ended; an empty function takes it back.
    void on_expiry(std::function<void()> close) {
        const std::lock_guard lock(mutex_);
        close_ = std::move(close);
        if (expired_ && close_) {
            close_();
        }
    }

private:
    std::mutex mutex_; // the pool's thread registers, the loop's thread expires
    std::function<void()> close_;
    std::atomic<bool> expired_{false};
};

/// One request and its answer, blocking, on a connection of its own. Never throws.
std::expected<answer, no_answer> exchange(const client_settings& settings, const call& what,
                                          time_limit& limit);

} // namespace relais::rest
