#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais {

/// `2026-11-23T06:46:44.123456Z`: always UTC, always six digits.
std::string to_rfc3339(timestamp time);

/// Any offset, zero to nine digits of a second (RFC 3339 §5.6; cut to microseconds).
/// Error: `invalid` / "invalid-time".
result<timestamp> parse_rfc3339(std::string_view text);

/// `Mon, 23 Nov 2026 06:46:44 GMT` (RFC 9110 §5.6.7), for the HTTP Date field and for mails.
std::string to_http_date(timestamp time);

} // namespace relais
