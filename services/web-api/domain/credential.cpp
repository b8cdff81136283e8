#include "web-api/domain/credential.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

constexpr std::chrono::days idle_limit{14};
constexpr std::chrono::days absolute_limit{90};
constexpr std::chrono::hours touch_interval{1};

} // namespace

session_life session_life::begin(timestamp now) {
    return {now, now + absolute_limit};
}

timestamp session_life::expires_at() const {
    return std::min<timestamp>(last_seen_at + idle_limit, absolute_expires_at);
}

bool session_life::worth_touching(timestamp now) const {
    return now - last_seen_at >= touch_interval;
}

} // namespace relais::web_api
