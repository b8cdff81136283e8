#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace relais::notification {

/// Whether a channel may be used now. A provider that asks to wait, or refuses our key, closes it
/// for everybody; afterwards one message goes first, and only its success opens it for the rest.
/// Used on the loop's thread.
class channel_gate {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// How many messages may be on their way now: 0 while closed, 1 while it is tried out.
    std::size_t allowed(time_point now, std::size_t normally) const {
        if (now < closed_until_) {
            return 0;
        }
        return trying_ ? 1 : normally;
    }

    bool is_open(time_point now) const {
        return now >= closed_until_ && !trying_;
    }

    time_point closed_until() const {
        return closed_until_;
    }

    void close(time_point until, bool alert) {
        closed_until_ = std::max(closed_until_, until);
        trying_ = true;
        alert_ = alert_ || alert;
    }

    /// The provider answered sensibly.
    void succeed() {
        trying_ = false;
        alert_ = false;
    }

    /// Somebody has to do something (a refused key).
    bool alert() const {
        return alert_;
    }

private:
    time_point closed_until_{};
    bool trying_ = false;
    bool alert_ = false;
};

} // namespace relais::notification
