#include "http/h2_request.hpp"

#include "http/request_rules.hpp"
#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>

namespace relais::http {
namespace {

using detail::malformed;
using detail::refusal;
using detail::refuse;

/// Of one hop; HTTP/2 has its own ways to say these things (RFC 9113 §8.2.2).
constexpr std::array<std::string_view, 5> of_connection{
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};

struct pseudo_fields {
    std::optional<std::string_view> method;
    std::optional<std::string_view> scheme;
    std::optional<std::string_view> authority;
    std::optional<std::string_view> path;

    std::optional<std::string_view>* find(std::string_view name) {
        return name == ":method"      ? &method
               : name == ":path"      ? &path
               : name == ":scheme"    ? &scheme
               : name == ":authority" ? &authority
                                      : nullptr;
    }
};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

refusal check_value(std::string_view value) {
    const bool blanks_around =
        !value.empty() && (is_blank(value.front()) || is_blank(value.back()));
    if (blanks_around || !is_field_value(value)) {
        return {malformed, "a field value with a control character or with blanks around it"};
    }
    return {};
}

refusal check_regular(const field_view& field, const gate_limits& limits) {
    if (const auto refused = detail::check_field(field, limits)) {
        return refused;
    }
    if (std::ranges::any_of(field.name, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return {malformed, "a field name that is not in lower case"};
    }
    if (std::ranges::find(of_connection, field.name) != of_connection.end()) {
        return {malformed, "a field that belongs to a connection of HTTP/1"};
    }
    if (field.name == "te" && !equal_names(field.value, "trailers")) {
        return {malformed, "a TE other than trailers"};
    }
    return check_value(field.value);
}

/// Sorts what was received into the pseudo-header fields, which come first, and the others.
refusal sort_fields(std::span<const field_view> received, const gate_limits& limits,
                    pseudo_fields& pseudo, request_head& head) {
    for (const auto& field : received) {
        if (!field.name.starts_with(':')) {
            if (const auto refused = check_regular(field, limits)) {
                return refused;
            }
            if (head.fields.size() == limits.fields_max) {
                return {"header-too-large", "too many fields"};
            }
            head.fields.push_back(field);
            continue;
        }
        auto* const where = pseudo.find(field.name);
        if (where == nullptr || where->has_value() || !head.fields.empty()) {
            return {malformed, "a pseudo-header field that is unknown, repeated or late"};
        }
        if (const auto refused = check_value(field.value)) {
            return refused;
        }
        *where = field.value;
    }
    return {};
}

/// Several Cookie fields are the pieces of one (RFC 9113 §8.2.3).
void join_cookies(std::string& memory, request_head& head) {
    const auto is_cookie = [](const field_view& field) {
        return field.name == "cookie";
    };
    if (std::ranges::count_if(head.fields, is_cookie) < 2) {
        return;
    }
    memory.clear();
    for (const auto& field : head.fields) {
        if (is_cookie(field)) {
            memory.append(memory.empty() ? "" : "; ").append(field.value);
        }
    }
    const auto first = std::ranges::find_if(head.fields, is_cookie);
    first->value = memory;
    const auto others = std::ranges::remove_if(first + 1, head.fields.end(), is_cookie);
    head.fields.erase(others.begin(), others.end());
}

refusal read_authority(std::optional<std::string_view> authority, request_head& head) {
    field_view* host = nullptr;
    if (const auto refused = detail::find_host(head, host)) {
        return refused;
    }
    if (authority && !is_valid_host(*authority)) {
        return {malformed, "an :authority that is none"};
    }
    if (authority && host != nullptr && !equal_names(*authority, host->value)) {
        return {malformed, "a Host unlike :authority"};
    }
    if (!authority && host == nullptr) {
        return {malformed, "neither :authority nor Host"};
    }
    head.host = authority ? *authority : host->value;
    return {};
}

refusal read_length(bool has_body, request_head& head) {
    detail::framing_fields framed;
    if (const auto refused = detail::read_framing(head.fields, 1, framed)) {
        return refused;
    }
    if (!has_body && framed.length.value_or(0) > 0) {
        return {malformed, "a Content-Length without a body"};
    }
    if (framed.length.value_or(0) > 0) {
        head.framing = framing::content_length;
        head.body_bytes = *framed.length;
    } else if (has_body && !framed.length) {
        head.framing = framing::chunked;
    }
    return {};
}

refusal interpret(const pseudo_fields& pseudo, bool has_body, const gate_limits& limits,
                  request_head& head) {
    if (!pseudo.method) {
        return {malformed, "no :method"};
    }
    if (const auto refused = detail::read_method(*pseudo.method, head)) {
        return refused;
    }
    if (!pseudo.scheme || !pseudo.path || (*pseudo.scheme != "http" && *pseudo.scheme != "https")) {
        return {malformed, "no :path, or a :scheme that is not http or https"};
    }
    if (pseudo.path->empty()) {
        return {malformed, "an empty :path"};
    }
    if (const auto refused = detail::read_path(*pseudo.path, limits, head)) {
        return refused;
    }
    if (const auto refused = read_authority(pseudo.authority, head)) {
        return refused;
    }
    detail::drop_underscored(head);
    if (const auto refused = read_length(has_body, head)) {
        return refused;
    }
    return detail::read_expectation(head);
}

} // namespace

result<void> read_h2_request(std::span<const field_view> received, bool has_body,
                             const gate_limits& limits, std::string& memory, request_head& head) {
    detail::reset(head);
    head.version_major = 2;
    head.version_minor = 0;
    pseudo_fields pseudo;
    if (const auto refused = sort_fields(received, limits, pseudo, head)) {
        return refuse(refused);
    }
    if (const auto refused = interpret(pseudo, has_body, limits, head)) {
        return refuse(refused);
    }
    join_cookies(memory, head);
    return {};
}

result<void> check_h2_trailers(std::span<const field_view> received, const gate_limits& limits) {
    for (const auto& field : received) {
        if (field.name.starts_with(':')) {
            return refuse({malformed, "a pseudo-header field in trailers"});
        }
        if (const auto refused = check_regular(field, limits)) {
            return refuse({malformed, refused.detail});
        }
    }
    return {};
}

} // namespace relais::http
