#include "mailing-list-sync/domain/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace relais::mailing_list_sync {
namespace {

constexpr double kept_for_opt_outs = 0.2;

double in_milliseconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

rate_limit::rate_limit(double calls, std::chrono::milliseconds period, time_point now)
    : full_rate_(calls / static_cast<double>(period.count())), rate_(full_rate_), capacity_(calls),
      tokens_(calls), period_(period), filled_at_(now), raised_at_(now), closed_until_(now) {}

void rate_limit::refill(time_point now) {
    if (rate_ < full_rate_ && now - raised_at_ >= period_) {
        rate_ = std::min(full_rate_, rate_ + full_rate_ / 10);
        raised_at_ = now;
    }
    tokens_ = std::min(capacity_, tokens_ + rate_ * in_milliseconds(now - filled_at_));
    filled_at_ = now;
}

std::chrono::milliseconds rate_limit::take(urgency who, time_point now) {
    refill(now);
    if (now < closed_until_) {
        return std::chrono::ceil<std::chrono::milliseconds>(closed_until_ - now);
    }
    const double kept = who == urgency::opt_out ? 0 : capacity_ * kept_for_opt_outs;
    const double missing = kept + 1 - tokens_;
    if (missing > 0) {
        return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(missing / rate_)));
    }
    tokens_ -= 1;
    return std::chrono::milliseconds(0);
}

void rate_limit::provider_says(std::int64_t remaining, std::chrono::milliseconds reset,
                               time_point now) {
    refill(now);
    tokens_ = std::min(tokens_, static_cast<double>(remaining));
    if (remaining <= 0) {
        closed_until_ = std::max(closed_until_, now + reset);
    }
}

void rate_limit::refused(std::chrono::milliseconds wait, time_point now) {
    refill(now);
    rate_ = std::max(full_rate_ / 16, rate_ / 2);
    raised_at_ = now;
    closed_until_ = std::max(closed_until_, now + wait);
}

} // namespace relais::mailing_list_sync
