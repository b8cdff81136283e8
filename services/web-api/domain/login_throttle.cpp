#include "web-api/domain/login_throttle.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

constexpr std::chrono::minutes forgotten_after{15};

std::chrono::seconds wait_after(std::uint32_t count) {
    if (count < free_login_attempts) {
        return std::chrono::seconds(0);
    }
    const auto exponent = std::min<std::uint32_t>(count - free_login_attempts + 1, 20);
    const std::chrono::seconds doubled(std::int64_t{1} << exponent);
    return std::min<std::chrono::seconds>(doubled, forgotten_after);
}

} // namespace

result<login_attempts> count_attempt(const login_attempts& before, timestamp now) {
    if (now - before.last_at >= forgotten_after) {
        return login_attempts{1, now};
    }
    const auto allowed_at = before.last_at + wait_after(before.count);
    if (now < allowed_at) {
        error refused{error_kind::rate_limited, "too-many-attempts",
                      "too many attempts with this address; wait", "", std::nullopt};
        refused.retry_after = std::chrono::ceil<std::chrono::seconds>(allowed_at - now);
        return std::unexpected(std::move(refused));
    }
    return login_attempts{before.count + 1, now};
}

} // namespace relais::web_api
