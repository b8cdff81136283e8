#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <cstdint>

namespace relais::web_api {

/// Attempts to log in with one address, since the last success or the last quarter of an hour
/// without an attempt.
struct login_attempts {
    std::uint32_t count = 0;
    timestamp last_at;
};

inline constexpr std::uint32_t free_login_attempts = 10;

/// Counts an attempt before the password is looked at. Ten are free; then each waits for twice as
/// long as the one before (2 s, 4 s … 15 min), and never for good, so that nobody can lock an owner
/// out. What is known about the address makes no difference. Returns what to remember. Error:
/// `rate_limited` / "too-many-attempts" with retry_after; then nothing changes.
result<login_attempts> count_attempt(const login_attempts& before, timestamp now);

} // namespace relais::web_api
