#include "log/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace relais::log {
namespace {

/// Length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t offset) -> std::uint8_t {
        return at + offset < text.size() ? static_cast<std::uint8_t>(text[at + offset]) : 0;
    };
    const auto follows = [&](std::size_t offset, std::uint8_t low = 0x80,
                             std::uint8_t high = 0xbf) {
        return byte(offset) >= low && byte(offset) <= high;
    };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return follows(1) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;  // no overlong forms
        const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf; // no surrogates
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
        const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

/// ASCII that stands for itself in a JSON string.
constexpr auto is_plain = [] {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte) {
        table[byte] = byte != '"' && byte != '\\';
    }
    return table;
}();

/// Whether one of eight bytes needs a closer look. Exact but for what stands behind the first that
/// does: borrows run upwards (Bit Twiddling Hacks, "Determine if a word has a byte less than n").
bool looks_special(std::uint64_t word) {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t highs = 0x8080808080808080U;
    const auto zero_in = [](std::uint64_t value) {
        return (value - ones) & ~value;
    };
    const std::uint64_t control = (word - ones * 0x20U) & ~word;
    const std::uint64_t found = control | zero_in(word ^ (ones * '"')) |
                                zero_in(word ^ (ones * '\\')) | zero_in(word ^ (ones * 0x7fU)) |
                                word;
    return (found & highs) != 0;
}

void append_ascii(std::string& out, char c) {
    switch (c) {
    case '"':
        out += "\\\"";
        return;
    case '\\':
        out += "\\\\";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        break;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
        out += c;
    }
}

} // namespace

std::size_t plain_length(std::string_view text) {
    std::size_t end = 0;
    for (std::uint64_t word = 0; end + sizeof word <= text.size(); end += sizeof word) {
        std::memcpy(&word, text.data() + end, sizeof word);
        if (looks_special(word)) {
            break;
        }
    }
    while (end < text.size() && is_plain[static_cast<std::uint8_t>(text[end])]) {
        ++end;
    }
    return end;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t run = plain_length(text.substr(at)); run > 0) {
            out += text.substr(at, run);
            at += run;
            continue;
        }
        const std::size_t length = sequence_length(text, at);
        if (length == 1) {
            append_ascii(out, text[at]);
        } else {
            out += length == 0 ? replacement : text.substr(at, length);
        }
        at += length == 0 ? 1 : length;
    }
    out += '"';
}

std::string well_formed(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t plain = plain_length(text.substr(at));
        const std::size_t length = plain > 0 ? plain : sequence_length(text, at);
        out += length == 0 ? replacement : text.substr(at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

} // namespace relais::log
