#include "web-api/domain/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace relais::web_api {
namespace {

struct code_range {
    char32_t first;
    char32_t last;
};

constexpr std::array forbidden{
    code_range{0x0000, 0x001F}, code_range{0x007F, 0x009F}, code_range{0x061C, 0x061C},
    code_range{0x200E, 0x200F}, code_range{0x2028, 0x202E}, code_range{0x2066, 0x2069},
    code_range{0xFEFF, 0xFEFF},
};

constexpr std::array white{
    code_range{0x0009, 0x000A}, code_range{0x000D, 0x000D}, code_range{0x0020, 0x0020},
    code_range{0x00A0, 0x00A0}, code_range{0x1680, 0x1680}, code_range{0x2000, 0x200B},
    code_range{0x202F, 0x202F}, code_range{0x205F, 0x205F}, code_range{0x3000, 0x3000},
};

template <std::size_t Size>
bool is_in(const std::array<code_range, Size>& ranges, char32_t code) {
    return std::ranges::any_of(ranges, [code](const code_range& range) {
        return code >= range.first && code <= range.last;
    });
}

/// The code point at `place` of valid UTF-8; moves `place` behind it.
char32_t next_code(std::string_view text, std::size_t& place) {
    const auto lead = static_cast<unsigned char>(text[place++]);
    if (lead < 0x80) {
        return lead;
    }
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    char32_t code = lead & (0x3F >> more);
    for (int i = 0; i < more && place < text.size(); ++i) {
        code = (code << 6) | (static_cast<unsigned char>(text[place++]) & 0x3F);
    }
    return code;
}

struct extent {
    std::size_t begin = 0;  ///< of the first code point that is not white
    std::size_t end = 0;    ///< behind the last one
    std::size_t length = 0; ///< code points between
    bool clean = true;
};

extent measure(std::string_view text, bool lines_allowed) {
    extent found;
    bool begun = false;
    std::size_t pending = 0; // white code points since the last other one
    for (std::size_t place = 0; place < text.size();) {
        const std::size_t here = place;
        const char32_t code = next_code(text, place);
        const bool line_control = lines_allowed && (code == '\n' || code == '\t');
        if (is_in(forbidden, code) && !line_control) {
            found.clean = false;
            return found;
        }
        if (is_in(white, code)) {
            pending += 1;
            continue;
        }
        if (!begun) {
            begun = true;
            found.begin = here;
            pending = 0;
        }
        found.length += pending + 1;
        pending = 0;
        found.end = place;
    }
    return found;
}

result<std::string> checked(std::string_view text, std::size_t max, bool lines_allowed) {
    const extent found = measure(text, lines_allowed);
    if (!found.clean) {
        return fail(error_kind::invalid, "forbidden-character",
                    "control and direction characters are not allowed");
    }
    if (found.length == 0) {
        return fail(error_kind::invalid, "empty-text", "must not be blank");
    }
    if (found.length > max) {
        return fail(error_kind::invalid, "text-too-long", "is too long");
    }
    return std::string(text.substr(found.begin, found.end - found.begin));
}

} // namespace

result<std::string> single_line(std::string_view text, std::size_t max) {
    return checked(text, max, false);
}

result<std::string> several_lines(std::string_view text, std::size_t max) {
    std::string unix_lines;
    unix_lines.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool before_line_feed = i + 1 < text.size() && text[i + 1] == '\n';
        if (text[i] != '\r') {
            unix_lines.push_back(text[i]);
        } else if (!before_line_feed) {
            unix_lines.push_back('\n');
        }
    }
    return checked(unix_lines, max, true);
}

} // namespace relais::web_api
