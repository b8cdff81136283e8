#pragma once

#include <string>
#include <string_view>

namespace relais::notification {

/// Base64 with padding (RFC 4648 §4), on one line.
std::string to_base64(std::string_view bytes);

/// Empty when the text is no Base64.
std::string from_base64(std::string_view text);

} // namespace relais::notification
