#include "rest/breaker.hpp"

#include <algorithm>

namespace relais::rest {

bool breaker::may_call(time_point now) {
    if (!open_) {
        return true;
    }
    if (trying_ || now < next_try_) {
        return false;
    }
    trying_ = true;
    return true;
}

std::chrono::milliseconds breaker::wait(time_point now) const {
    if (trying_) {
        return limits_.first_pause;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try_ - now);
    return open_ ? std::max(left, std::chrono::milliseconds(0)) : std::chrono::milliseconds(0);
}

void breaker::succeeded() {
    failures_ = 0;
    open_ = false;
    trying_ = false;
    pause_ = limits_.first_pause;
}

void breaker::failed(time_point now) {
    ++failures_;
    if (open_ && !trying_) {
        return; // began before it opened, and is known
    }
    if (open_) {
        pause_ = std::min(pause_ * 2, limits_.longest_pause);
    } else if (failures_ < limits_.failures_max) {
        return;
    }
    open_ = true;
    trying_ = false;
    next_try_ = now + pause_;
}

void breaker::given_up() {
    trying_ = false;
}

} // namespace relais::rest
