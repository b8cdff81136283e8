#pragma once

#include "clock/clock.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

inline constexpr std::string_view session_prefix = "rls_";
inline constexpr std::string_view api_key_prefix = "rlk_";

/// What a signed-in person may do, as the gateway's signed identity says it. API keys have roles of
/// their own ("marketing") and are nobody's account, so they lack it.
inline constexpr std::string_view member_role = "member";

/// 256 random bits as 43 characters of 0-9A-Za-z behind the prefix, so that secret scanners find
/// it.
std::string make_token(std::string_view prefix, const std::array<std::uint8_t, 32>& random);

/// Prefix and form are right. Saves the database from looking for anything else.
bool looks_like_token(std::string_view text);

/// What is stored of a token: SHA-256. A token has all its entropy from us, so nothing slower is
/// needed.
std::vector<std::uint8_t> token_hash(std::string_view token);

/// How long a session lives: 14 days without use, 90 days in all.
struct session_life {
    timestamp last_seen_at;
    timestamp absolute_expires_at;

    static session_life begin(timestamp now);

    /// The end as it stands: the earlier of both limits.
    timestamp expires_at() const;

    /// Use moves the idle limit; written at most once an hour, so that reading stays reading.
    bool worth_touching(timestamp now) const;
};

} // namespace relais::web_api
