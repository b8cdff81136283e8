#include "rest/retry_budget.hpp"

#include <algorithm>

namespace relais::rest {

void retry_budget::refill(time_point now) {
    if (filled_at_ != time_point{} && now > filled_at_) {
        const std::chrono::duration<double> passed = now - filled_at_;
        left_ = std::min(limits_.reserve, left_ + passed.count() * limits_.per_second);
    }
    filled_at_ = now;
}

void retry_budget::earn(time_point now) {
    refill(now);
    left_ = std::min(limits_.reserve, left_ + limits_.share);
}

std::chrono::milliseconds retry_budget::spend(time_point now) {
    refill(now);
    left_ -= 1;
    if (left_ >= 0) {
        return std::chrono::milliseconds(0);
    }
    const std::chrono::duration<double> wait(-left_ / limits_.per_second);
    return std::chrono::ceil<std::chrono::milliseconds>(wait);
}

} // namespace relais::rest
