#include "web-api/domain/email_address.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

constexpr std::size_t local_max = 64;
constexpr std::size_t address_max = 254;
constexpr std::size_t label_max = 63;

/// RFC 5322 §3.2.3.
bool is_atom_character(char c) {
    constexpr std::string_view signs = "!#$%&'*+-/=?^_`{|}~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           signs.find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view text) {
    if (text.empty() || text.size() > local_max) {
        return false;
    }
    bool after_dot = true;
    for (const char c : text) {
        if (c == '.') {
            if (after_dot) {
                return false;
            }
            after_dot = true;
        } else if (is_atom_character(c)) {
            after_dot = false;
        } else {
            return false;
        }
    }
    return !after_dot;
}

bool is_label(std::string_view label) {
    const auto is_letter_or_digit = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !label.empty() && label.size() <= label_max && is_letter_or_digit(label.front()) &&
           is_letter_or_digit(label.back()) &&
           std::ranges::all_of(label, [&](char c) { return c == '-' || is_letter_or_digit(c); });
}

/// At least two labels, the last one not all digits (so that no IPv4 address passes; RFC 3696 §2).
bool is_domain(std::string_view text) {
    std::size_t labels = 0;
    std::string_view last;
    while (true) {
        const auto dot = text.find('.');
        last = text.substr(0, dot);
        if (!is_label(last)) {
            return false;
        }
        labels += 1;
        if (dot == std::string_view::npos) {
            break;
        }
        text.remove_prefix(dot + 1);
    }
    const bool numeric = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    return labels >= 2 && !numeric;
}

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

} // namespace

result<email_address> email_address::parse(std::string_view text, const domain_encoder& to_ascii) {
    const auto refused = fail(error_kind::invalid, "invalid-email", "is not an e-mail address");
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || text.size() > address_max) {
        return refused;
    }
    const auto local = text.substr(0, at);
    const auto domain = to_ascii(text.substr(at + 1));
    if (!domain || !is_dot_string(local) || !is_domain(*domain)) {
        return refused;
    }
    std::string deliverable = std::string(local) + "@" + *domain;
    if (deliverable.size() > address_max) {
        return refused;
    }
    std::string canonical = ascii_lower(local) + "@" + *domain;
    return email_address(std::move(deliverable), std::move(canonical));
}

} // namespace relais::web_api
