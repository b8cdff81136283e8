#include "gateway/exchange/transport_rules.hpp"

#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::string_view transport_security_field = "Strict-Transport-Security";

/// A Host without its port: "shop.example:8443", "[::1]:8443".
std::string_view without_port(std::string_view host) {
    const auto colon = host.rfind(':');
    const bool has_port = colon != std::string_view::npos &&
                          host.find(']', colon) == std::string_view::npos &&
                          (host.starts_with('[') || host.find(':') == colon);
    return has_port ? host.substr(0, colon) : host;
}

bool is_below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) &&
           (path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/');
}

bool fits(const redirect_rule& rule, const http::request_head& head, bool https) {
    if (!rule.host.empty() && !http::equal_names(without_port(head.host), rule.host)) {
        return false;
    }
    const bool stays_there =
        rule.to_host.empty() || http::equal_names(without_port(head.host), rule.to_host);
    const bool is_there = stays_there && (!rule.to_https || https);
    return !is_there && std::ranges::none_of(rule.except_prefixes, [&](const auto& prefix) {
        return is_below(head.path, prefix);
    });
}

std::string place_of(const redirect_rule& rule, const http::request_head& head, bool https) {
    const bool to_https = rule.to_https || https;
    const auto host = rule.to_host.empty() ? without_port(head.host) : rule.to_host;
    return fmt::format("{}://{}{}{}{}{}", to_https ? "https" : "http", host,
                       rule.to_port != 0 ? fmt::format(":{}", rule.to_port) : "", head.path,
                       head.has_query ? "?" : "", head.query);
}

http::response redirect_to(const std::string& place, int status) {
    auto answer = http::response::empty(status);
    answer.headers.set("Location", place);
    return answer;
}

/// A host without a name cannot be a place to go to; "*" is no path.
bool can_move(const http::request_head& head) {
    return !head.host.empty() && head.path.starts_with('/');
}

} // namespace

result<void> check_transport(const client_info& info, const http::request_head& head) {
    if (info.misplaced) {
        return fail(error_kind::invalid, "plain-http", "this port speaks HTTP through TLS only");
    }
    const bool is_strict = info.through != nullptr && info.through->rules->strict_server_name &&
                           info.through->acceptor.has_value();
    if (is_strict &&
        !info.through->acceptor->is_same_certificate(info.server_name, without_port(head.host))) {
        return fail(error_kind::invalid, "misdirected",
                    "the connection was opened for another host");
    }
    return {};
}

std::optional<http::response> redirect_of(const client_info& info, const http::request_head& head,
                                          bool https) {
    if (info.through == nullptr || !can_move(head)) {
        return std::nullopt;
    }
    const auto& rules = *info.through->rules;
    if (info.misplaced) {
        if (!rules.redirect_plain_http) {
            return std::nullopt;
        }
        return redirect_to(fmt::format("https://{}{}{}{}", head.host, head.path,
                                       head.has_query ? "?" : "", head.query),
                           308);
    }
    for (const auto& each : rules.redirects) {
        if (fits(each, head, https)) {
            return redirect_to(place_of(each, head, https), each.status);
        }
    }
    return std::nullopt;
}

void write_transport_security(const client_info& info, answer_head& to) {
    if (info.through == nullptr || info.through->rules->transport_security.empty()) {
        return;
    }
    std::erase_if(to.fields, [](const auto& field) {
        return http::equal_names(field.name, transport_security_field);
    });
    to.fields.push_back({transport_security_field, info.through->rules->transport_security});
}

} // namespace relais::gateway
