#include "gateway/client_address/forwarded.hpp"

#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace relais::gateway {
namespace {

constexpr std::size_t parameters_max = 16;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "_" and then letters, digits, ".", "_" and "-" (RFC 7239 §6.3).
bool is_obfuscated(std::string_view text) {
    return text.size() > 1 && text.front() == '_' && std::ranges::all_of(text, [](char c) {
               return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
           });
}

/// RFC 3986 §3.1.
bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
}

struct parameter {
    std::string_view name;
    std::string_view value; ///< between the quotation marks
    bool escapes = false;   ///< has some
};

/// What may stand in a quoted string by itself (RFC 9110 §5.6.4).
bool is_quotable(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

/// Takes a quoted string from the front, without its marks.
bool take_quoted(std::string_view& text, parameter& out) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            out.value = text.substr(1, i - 1);
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\') {
            out.escapes = true;
            ++i;
        }
        if (i == text.size() || !is_quotable(text[i])) {
            return false;
        }
    }
    return false;
}

/// Takes name=value from the front; behind it stands the end or ";".
bool take_parameter(std::string_view& text, parameter& out) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !http::is_token(text.substr(0, equals))) {
        return false;
    }
    out.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    if (text.starts_with('"')) {
        return take_quoted(text, out) && (text.empty() || text.front() == ';');
    }
    out.value = text.substr(0, text.find(';'));
    text.remove_prefix(out.value.size());
    return http::is_token(out.value);
}

bool read_node(const parameter& given, forwarded_node& out) {
    const auto node = parse_forwarded_node(given.value);
    if (given.escapes || !node) {
        return false;
    }
    out = *node;
    return true;
}

bool read_text(const parameter& given, bool valid, std::string_view& out) {
    out = given.value;
    return !given.escapes && valid;
}

bool read_parameter(const parameter& given, forwarded_element& out) {
    if (http::equal_names(given.name, "for")) {
        return read_node(given, out.from);
    }
    if (http::equal_names(given.name, "by")) {
        return read_node(given, out.by);
    }
    if (http::equal_names(given.name, "host")) {
        return read_text(given, http::is_valid_host(given.value), out.host);
    }
    if (http::equal_names(given.name, "proto")) {
        return read_text(given, is_scheme(given.value), out.proto);
    }
    return true;
}

} // namespace

std::optional<forwarded_node> parse_forwarded_node(std::string_view text) {
    const bool bracketed = text.starts_with('[');
    const auto end = bracketed ? text.find(']') : text.find(':');
    if (bracketed && end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto name = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
    auto rest = text.substr(std::min(text.size(), bracketed ? end + 1 : end));
    forwarded_node out;
    if (!rest.empty()) {
        if (rest.front() != ':') {
            return std::nullopt;
        }
        rest.remove_prefix(1);
        out.port = parse_port(rest);
        if (!out.port && !is_obfuscated(rest)) {
            return std::nullopt;
        }
    }
    if (!bracketed && http::equal_names(name, "unknown")) {
        out.kind = forwarded_node::form::unknown;
        return out;
    }
    if (!bracketed && is_obfuscated(name)) {
        out.kind = forwarded_node::form::obfuscated;
        return out;
    }
    const auto address = parse_address(name);
    // IPv6 stands in brackets, IPv4 never does.
    if (!address || bracketed != name.contains(':')) {
        return std::nullopt;
    }
    out.kind = forwarded_node::form::address;
    out.address = *address;
    return out;
}

std::optional<forwarded_element> parse_forwarded_element(std::string_view text) {
    std::array<std::string_view, parameters_max> seen;
    std::size_t count = 0;
    forwarded_element out;
    while (!text.empty()) {
        if (text.front() == ';') {
            text.remove_prefix(1);
            continue;
        }
        parameter each;
        if (count == seen.size() || !take_parameter(text, each)) {
            return std::nullopt;
        }
        const bool again = std::ranges::any_of(std::span(seen).first(count), [&](auto name) {
            return http::equal_names(name, each.name);
        });
        if (again || !read_parameter(each, out)) {
            return std::nullopt;
        }
        seen[count++] = each.name;
    }
    return out;
}

} // namespace relais::gateway
