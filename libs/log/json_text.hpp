#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relais::log {

/// Appends the text as a JSON string with its quotes. Control characters are escaped, so a value
/// can never start a new log line; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// How many bytes from the beginning on stand for themselves in such a string: printable ASCII but
/// for quotes and backslashes.
std::size_t plain_length(std::string_view text);

/// The text with U+FFFD for what is not UTF-8 (RFC 3629), byte by byte.
std::string well_formed(std::string_view text);

} // namespace relais::log
