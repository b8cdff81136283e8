#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais {

inline constexpr std::string_view session_prefix = "rls_";
inline constexpr std::string_view api_key_prefix = "rlk_";

/// 256 random bits as 43 characters of 0-9A-Za-z behind the prefix, so that secret scanners find
/// it.
std::string make_token(std::string_view prefix, const std::array<std::uint8_t, 32>& random);

/// Prefix and form are right. Saves the database from looking for anything else.
bool looks_like_token(std::string_view text);

/// What is stored of a token: SHA-256. A token has all its entropy from us, so nothing slower is
/// needed.
std::vector<std::uint8_t> token_hash(std::string_view token);

} // namespace relais
