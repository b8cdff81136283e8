#include "http/target.hpp"

#include "ids/encoding.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace relais::http {
namespace {

enum class byte_class : std::uint8_t { forbidden, unreserved, delimiter, query_only };

constexpr std::array<byte_class, 256> classes = [] {
    std::array<byte_class, 256> table{};
    for (const unsigned char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789"
                                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~")) {
        table[c] = byte_class::unreserved;
    }
    for (const unsigned char c : std::string_view("!$&'()*+,;=:@/")) {
        table[c] = byte_class::delimiter;
    }
    for (const unsigned char c : std::string_view("?[]")) {
        table[c] = byte_class::query_only;
    }
    return table;
}();

/// The byte that the escape at `at` stands for, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) {
        return -1;
    }
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::unexpected<error> malformed(std::string detail) {
    return fail(error_kind::invalid, "malformed-request", std::move(detail));
}

/// Ends the segment that begins at `start`: dot segments go, empty ones are not kept.
void end_segment(std::string& path, std::size_t start) {
    const std::string_view segment = std::string_view(path).substr(start);
    if (segment == ".") {
        path.resize(start);
    } else if (segment == "..") {
        path.resize(start - 1); // the slash before it
        const auto parent = path.rfind('/');
        path.resize(parent == std::string::npos ? 0 : parent);
        path += '/';
    }
}

} // namespace

result<void> normalise_path(std::string_view raw, std::string& path) {
    path.clear();
    if (raw.empty() || raw.front() != '/') {
        return malformed("the path does not begin with a slash");
    }
    path.reserve(raw.size());
    path += '/';
    std::size_t start = 1; // of the current segment
    for (std::size_t i = 1; i < raw.size(); ++i) {
        const auto byte = static_cast<unsigned char>(raw[i]);
        if (byte == '/') {
            end_segment(path, start);
            if (path.back() != '/') {
                path += '/';
            }
            start = path.size();
        } else if (byte == '%') {
            const int value = escaped_byte(raw, i);
            if (value < 0x20 || value == 0x7f || value == '/' || value == '\\') {
                return malformed("the path has an escape that is broken or not allowed");
            }
            if (classes[static_cast<unsigned char>(value)] == byte_class::unreserved) {
                path += static_cast<char>(value);
            } else {
                constexpr std::string_view digits = "0123456789ABCDEF";
                path += '%';
                path += digits[static_cast<std::size_t>(value) / 16];
                path += digits[static_cast<std::size_t>(value) % 16];
            }
            i += 2;
        } else if (classes[byte] == byte_class::unreserved ||
                   classes[byte] == byte_class::delimiter) {
            path += raw[i];
        } else {
            return malformed("the path has a byte that is not allowed");
        }
    }
    end_segment(path, start);
    return {};
}

bool is_valid_query(std::string_view raw) {
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '%') {
            if (escaped_byte(raw, i) <= 0) {
                return false;
            }
            i += 2;
        } else if (classes[static_cast<unsigned char>(raw[i])] == byte_class::forbidden) {
            return false;
        }
    }
    return true;
}

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || i + more >= text.size()) {
            return false;
        }
        for (std::size_t k = 1; k <= more; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0U) != 0x80) {
                return false;
            }
        }
        const auto second = more == 0 ? 0U : static_cast<unsigned char>(text[i + 1]);
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
            (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

result<std::string> percent_decode(std::string_view raw, bool plus_is_space) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '%') {
            const int value = escaped_byte(raw, i);
            if (value <= 0) {
                return malformed("a broken escape");
            }
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += raw[i] == '+' && plus_is_space ? ' ' : raw[i];
        }
    }
    if (!is_utf8(out)) {
        return malformed("escapes that are not UTF-8");
    }
    return out;
}

bool is_valid_host(std::string_view text) {
    std::string_view name = text;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos || end < 3) {
            return false;
        }
        name = text.substr(end + 1);
        const auto address = text.substr(1, end - 1);
        const bool fits = std::ranges::all_of(
            address, [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
        if (!fits) {
            return false;
        }
    } else {
        const auto length = std::min(text.find(':'), text.size());
        const auto host = text.substr(0, length);
        const bool fits = std::ranges::all_of(
            host, [](unsigned char c) { return classes[c] == byte_class::unreserved && c != '~'; });
        if (host.empty() || host.size() > 253 || !fits) {
            return false;
        }
        name = text.substr(length);
    }
    if (name.empty()) {
        return true;
    }
    const auto port = name.substr(1);
    return name.front() == ':' && !port.empty() && port.size() <= 5 &&
           std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace relais::http
