#pragma once

#include <string>
#include <string_view>

namespace relais::log {

/// Appends the text as a JSON string with its quotes. Control characters are escaped, so a value
/// can never start a new log line; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

} // namespace relais::log
