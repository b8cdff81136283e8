#pragma once

#include <array>
#include <string>
#include <string_view>

namespace relais::notification {

/// The languages we write in; the last is what everybody else gets, and what OneSignal demands.
inline constexpr std::array<std::string_view, 4> languages{"nl", "fr", "de", "en"};
inline constexpr std::string_view fallback_language = "en";

/// The chain nl-BE → nl → en: the longest beginning of a BCP 47 tag that we write in.
std::string_view language_for(std::string_view locale);

} // namespace relais::notification
