#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// A language we speak to people in (BCP 47).
enum class locale { nl, fr, de, en };

std::string_view to_string(locale value);

/// Error: `invalid` / "unknown-locale".
result<locale> parse_locale(std::string_view text);

/// "nl", "fr", "de", "en".
const std::vector<std::string>& locale_names();

} // namespace relais::web_api
