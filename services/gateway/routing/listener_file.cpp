#include "gateway/routing/listener_file.hpp"

#include "gateway/tls/ticket_key_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace relais::gateway {
namespace {

constexpr std::uint64_t preload_age_min_s = 31'536'000; ///< of browsers' lists

/// Says what is wrong with a listener, by its name.
class complaints {
public:
    complaints(std::string name, config::reader& to) : name_(std::move(name)), to_(to) {}

    void operator()(std::string_view what) const {
        to_.problem("routes file", fmt::format("listener \"{}\": {}", name_, what));
    }

private:
    std::string name_;
    config::reader& to_;
};

/// "[::]:443" and "0.0.0.0:443"; without a host when it is neither.
config::endpoint read_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return {};
    }
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    config::endpoint out;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (failed != std::errc() || end != digits.data() + digits.size()) {
        return {};
    }
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return {};
    }
    out.host = host;
    return out;
}

bool is_host(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

redirect_rule read_redirect(const edge::v1::Redirect& given, const complaints& problem) {
    redirect_rule out;
    out.host = given.host();
    out.to_host = given.to_host();
    out.to_https = given.to_https();
    out.to_port = static_cast<std::uint16_t>(given.to_port());
    out.status = given.status() == 0 ? 308 : static_cast<int>(given.status());
    out.except_prefixes.assign(given.except_prefix().begin(), given.except_prefix().end());
    for (const auto& host : {given.host(), given.to_host()}) {
        if (!host.empty() && !is_host(host)) {
            problem(fmt::format("redirect: \"{}\" is not a host in lower case without port", host));
        }
    }
    if (given.status() != 0 && given.status() != 301 && given.status() != 308) {
        problem("redirect: status is 301 or 308");
    }
    if (given.to_port() > 65'535) {
        problem("redirect: to_port is 1 to 65535");
    }
    if (!given.to_https() && (given.to_host().empty() || given.to_host() == given.host())) {
        problem("redirect: to_host (another one) or to_https is missing");
    }
    if (!given.to_https() && given.to_port() != 0) {
        problem("redirect: to_port goes with to_https");
    }
    return out;
}

std::string read_transport_security(const edge::v1::StrictTransportSecurity& given,
                                    const complaints& problem) {
    if (given.preload() && (given.max_age_s() < preload_age_min_s || !given.include_subdomains())) {
        problem(fmt::format("strict_transport_security: preload needs include_subdomains and "
                            "max_age_s of {} at least",
                            preload_age_min_s));
    }
    return fmt::format("max-age={}{}{}", given.max_age_s(),
                       given.include_subdomains() ? "; includeSubDomains" : "",
                       given.preload() ? "; preload" : "");
}

proxy_policy read_proxy(const edge::v1::Listener& given, const route_table& table,
                        const complaints& problem) {
    proxy_policy out = proxy_policy::off;
    switch (given.proxy_protocol()) {
    case edge::v1::PROXY_PROTOCOL_TRUSTED:
        out = proxy_policy::trusted;
        break;
    case edge::v1::PROXY_PROTOCOL_REQUIRED:
        out = proxy_policy::required;
        break;
    case edge::v1::PROXY_PROTOCOL_OFF:
        break;
    default:
        out = table.proxy_protocol ? proxy_policy::trusted : proxy_policy::off;
    }
    if (out != proxy_policy::off && table.addresses.trusted.empty()) {
        problem("proxy_protocol: client_address trusts nobody, so nobody is believed");
    }
    return out;
}

void read_security(const edge::v1::Listener& given, listener_settings& to,
                   const complaints& problem) {
    for (const auto& each : given.certificate()) {
        to.certificates.push_back({each.chain_file(), each.key_file()});
    }
    if (to.protocol != listener_protocol::https) {
        const bool has_some = !to.certificates.empty() || !given.alpn().empty() ||
                              given.version_min() != edge::v1::TLS_VERSION_UNSPECIFIED ||
                              given.strict_server_name() || given.redirect_plain_http();
        if (has_some) {
            problem("what is about TLS goes with PROTOCOL_HTTPS");
        }
        return;
    }
    const auto loaded = certificate_store::load(to.certificates, system_clock().now());
    if (!loaded) {
        for (const auto& each : loaded.error()) {
            problem(fmt::format("certificate: {}", each.detail));
        }
    }
    if (given.version_min() == edge::v1::TLS_VERSION_1_3) {
        to.version_min = tls_version::tls_1_3;
    }
    if (!given.alpn().empty()) {
        to.alpn.assign(given.alpn().begin(), given.alpn().end());
    }
    for (const auto& each : to.alpn) {
        if (each != "h2" && each != "http/1.1") {
            problem(fmt::format("alpn: \"{}\" is not spoken here: h2, http/1.1", each));
        }
    }
    to.strict_server_name = given.strict_server_name();
    to.redirect_plain_http = given.redirect_plain_http();
}

listener_settings read_listener(const edge::v1::Listener& given, const route_table& table,
                                config::reader& from) {
    const complaints problem(given.address(), from);
    listener_settings out;
    out.name = given.address();
    out.address = read_address(given.address());
    if (out.address.host.empty()) {
        problem("address is host:port; IPv6 in brackets");
    }
    switch (given.protocol()) {
    case edge::v1::PROTOCOL_HTTP:
        break;
    case edge::v1::PROTOCOL_HTTPS:
        out.protocol = listener_protocol::https;
        break;
    case edge::v1::PROTOCOL_H2C:
        out.protocol = listener_protocol::h2c;
        break;
    default:
        problem("protocol is PROTOCOL_HTTP, PROTOCOL_HTTPS or PROTOCOL_H2C");
    }
    read_security(given, out, problem);
    out.proxy = read_proxy(given, table, problem);
    if (given.handshake_timeout_ms() != 0) {
        out.handshake_timeout = std::chrono::milliseconds(given.handshake_timeout_ms());
    }
    for (const auto& each : given.redirect()) {
        out.redirects.push_back(read_redirect(each, problem));
    }
    if (given.has_strict_transport_security()) {
        out.transport_security =
            read_transport_security(given.strict_transport_security(), problem);
    }
    return out;
}

} // namespace

void read_listeners(const edge::v1::RouteTable& given, route_table& to, config::reader& from) {
    for (const auto& each : given.listener()) {
        const bool is_taken = std::ranges::any_of(
            to.listeners, [&](const auto& known) { return known->name == each.address(); });
        if (is_taken) {
            from.problem("routes file",
                         fmt::format("listener \"{}\" stands twice", each.address()));
            continue;
        }
        to.listeners.push_back(
            std::make_shared<const listener_settings>(read_listener(each, to, from)));
    }
    to.ticket_keys.file = given.ticket_keys().file();
    if (given.ticket_keys().rotate_every_s() != 0) {
        to.ticket_keys.rotate_every = std::chrono::seconds(given.ticket_keys().rotate_every_s());
    }
    if (!to.ticket_keys.file.empty()) {
        const auto keys = read_ticket_key_file(to.ticket_keys.file);
        if (!keys) {
            from.problem("routes file", fmt::format("ticket_keys: {}", keys.error().detail));
        }
    }
}

} // namespace relais::gateway
