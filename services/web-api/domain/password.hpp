#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <string_view>

namespace relais::web_api {

inline constexpr std::size_t password_min_bytes = 8;
inline constexpr std::size_t password_max_bytes = 1024;

/// Length is what makes a password strong; nothing is demanded of its composition and nothing in it
/// is changed (OWASP ASVS 5.0 §6.2). At most 1024 bytes, so that hashing one has a bounded cost.
/// Errors: `invalid` / "password-too-short", "password-too-long".
result<void> check_password(std::string_view password);

} // namespace relais::web_api
