#include "postgres/text_format.hpp"

#include "clock/rfc3339.hpp"
#include "ids/encoding.hpp"

namespace relais::pg {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

} // namespace

result<timestamp> parse_timestamptz(std::string_view text) {
    // Only the separator and the short offset keep it from being RFC 3339.
    constexpr std::size_t separator = 10;
    constexpr std::size_t shortest = 22; // 2026-11-23 06:46:44+00
    if (text.size() < shortest || text[separator] != ' ') {
        return fail(error_kind::invalid, "invalid-time", "not a timestamp with time zone");
    }
    std::string standard(text);
    standard[separator] = 'T';
    const auto sign = standard.find_last_of("+-");
    if (standard.size() - sign == 3) {
        standard += ":00";
    }
    return parse_rfc3339(standard);
}

std::string to_bytea(std::string_view bytes) {
    return "\\x" + to_hex(as_bytes(bytes));
}

result<std::string> parse_bytea(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) {
        return fail(error_kind::invalid, "invalid-bytea", "not in hexadecimal form");
    }
    std::string bytes;
    bytes.reserve(text.size() / 2 - 1);
    for (std::size_t i = 2; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return fail(error_kind::invalid, "invalid-bytea", "not in hexadecimal form");
        }
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

std::string to_array(const std::vector<std::string>& values) {
    std::string text = "{";
    for (const auto& value : values) {
        if (text.size() > 1) {
            text += ',';
        }
        text += '"';
        for (const char c : value) {
            if (c == '"' || c == '\\') {
                text += '\\';
            }
            text += c;
        }
        text += '"';
    }
    text += '}';
    return text;
}

} // namespace relais::pg
