#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace relais::pg {

/// PostgreSQL's text forms of values, as our sessions show them (DateStyle ISO, TimeZone UTC,
/// bytea_output hex). Pure functions.

/// `2026-11-23 06:46:44.123456+00`; any whole-minute offset. Error: `invalid` / "invalid-time",
/// also for infinity and years before Christ, which we never store.
result<timestamp> parse_timestamptz(std::string_view text);

/// `\x0001ff`.
std::string to_bytea(std::string_view bytes);

/// Error: `invalid` / "invalid-bytea".
result<std::string> parse_bytea(std::string_view text);

/// `{"a","b \"c\""}`: the text form of a one-dimensional array.
std::string to_array(const std::vector<std::string>& values);

} // namespace relais::pg
