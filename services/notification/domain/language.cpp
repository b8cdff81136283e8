#include "notification/domain/language.hpp"

#include <algorithm>
#include <cctype>

namespace relais::notification {

std::string_view language_for(std::string_view locale) {
    std::string tag(locale);
    std::ranges::transform(tag, tag.begin(), [](unsigned char c) {
        return c == '_' ? '-' : static_cast<char>(std::tolower(c));
    });
    while (!tag.empty()) {
        const auto* const found = std::ranges::find(languages, std::string_view(tag));
        if (found != languages.end()) {
            return *found;
        }
        const auto cut = tag.rfind('-');
        tag.resize(cut == std::string::npos ? 0 : cut);
    }
    return fallback_language;
}

} // namespace relais::notification
