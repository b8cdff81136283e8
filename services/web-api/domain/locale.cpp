#include "web-api/domain/locale.hpp"

#include <algorithm>

namespace relais::web_api {

const std::vector<std::string>& locale_names() {
    static const std::vector<std::string> names{"nl", "fr", "de", "en"}; // in the order of the enum
    return names;
}

std::string_view to_string(locale value) {
    return locale_names()[static_cast<std::size_t>(value)];
}

result<locale> parse_locale(std::string_view text) {
    const auto& names = locale_names();
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) {
        return fail(error_kind::invalid, "unknown-locale", "must be one of nl, fr, de, en");
    }
    return static_cast<locale>(found - names.begin());
}

} // namespace relais::web_api
