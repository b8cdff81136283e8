#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace relais::notification {

/// Reads a file of `key = value` lines: UTF-8, '#' begins a comment line, blanks around key and
/// value are dropped, nothing is escaped. Calls one of the two for each line that counts (lines
/// from 1).
void read_properties(std::string_view content,
                     const std::function<void(int line, std::string key, std::string value)>& entry,
                     const std::function<void(int line, std::string what)>& problem);

} // namespace relais::notification
