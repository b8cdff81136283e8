#include "notification/rendering/properties.hpp"

namespace relais::notification {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_key(std::string_view text) {
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._") ==
                                std::string_view::npos;
}

} // namespace

void read_properties(std::string_view content,
                     const std::function<void(int line, std::string key, std::string value)>& entry,
                     const std::function<void(int line, std::string what)>& problem) {
    int number = 0;
    while (!content.empty()) {
        ++number;
        const auto end = content.find('\n');
        const auto line = trimmed(content.substr(0, end));
        content = end == std::string_view::npos ? std::string_view() : content.substr(end + 1);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) {
            problem(number, "expected key = text");
            continue;
        }
        const auto key = trimmed(line.substr(0, equals));
        const auto value = trimmed(line.substr(equals + 1));
        if (!is_key(key)) {
            problem(number, "a key has only a-z, 0-9, dots and underscores");
        } else if (value.empty()) {
            problem(number, "the text is empty");
        } else {
            entry(number, std::string(key), std::string(value));
        }
    }
}

} // namespace relais::notification
