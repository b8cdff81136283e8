#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

namespace relais::gateway {

/// How many connections are open on all loops together, and whether there is room for one more. For
/// all threads.
class client_count {
public:
    /// `on_room`: there is room again where there was none; called on any thread.
    client_count(std::size_t max, std::function<void()> on_room)
        : max_(static_cast<std::ptrdiff_t>(max)), on_room_(std::move(on_room)) {}

    /// One more. False: there is no room, and nothing was taken. `anyway`: never false.
    bool take(bool anyway = false) {
        if (open_.fetch_add(1) < max_ || anyway) {
            return true;
        }
        open_.fetch_sub(
            1); // whoever gives back meanwhile finds it full, and says that there is room
        return false;
    }

    void give_back() {
        if (open_.fetch_sub(1) >= max_) {
            on_room_();
        }
    }

    std::size_t open() const {
        return static_cast<std::size_t>(std::max<std::ptrdiff_t>(open_.load(), 0));
    }

private:
    std::ptrdiff_t max_;
    std::atomic<std::ptrdiff_t> open_{0};
    std::function<void()> on_room_;
};

} // namespace relais::gateway
