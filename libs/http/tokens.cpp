#include "http/tokens.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace relais::http {
namespace {

constexpr std::array<bool, 256> token_bytes = [] {
    std::array<bool, 256> table{};
    for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                                  "abcdefghijklmnopqrstuvwxyz"
                                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        table[c] = true;
    }
    return table;
}();

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

bool is_token_byte(unsigned char byte) {
    return token_bytes[byte];
}

bool is_token(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](unsigned char c) { return token_bytes[c]; });
}

bool is_field_value(std::string_view text) {
    return std::ranges::all_of(
        text, [](unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\t'; });
}

bool equal_names(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::ranges::equal(a, b, [](char left, char right) {
               return lower(left) == lower(right);
           });
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

bool next_list_member(std::string_view& list, std::string_view& member) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        member = trim_blanks(list.substr(0, comma));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        if (!member.empty()) {
            return true;
        }
    }
    return false;
}

bool list_has(std::string_view list, std::string_view member) {
    std::string_view each;
    while (next_list_member(list, each)) {
        if (equal_names(each, member)) {
            return true;
        }
    }
    return false;
}

} // namespace relais::http
