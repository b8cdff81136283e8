#include "gateway/routing/upstream_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace relais::gateway {
namespace {

std::optional<upstream_target> parse_target(std::string_view url, std::uint32_t admin_offset) {
    const bool secure = url.starts_with("https://");
    if (!secure && !url.starts_with("http://")) {
        return std::nullopt;
    }
    url.remove_prefix(url.find("//") + 2);
    const auto colon = url.rfind(':');
    std::uint16_t port = secure ? 443 : 80;
    if (colon != std::string_view::npos) {
        const auto digits = url.substr(colon + 1);
        const auto [end, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (failed != std::errc() || end != digits.data() + digits.size()) {
            return std::nullopt;
        }
        url = url.substr(0, colon);
    }
    if (url.empty() || url.find('/') != std::string_view::npos) {
        return std::nullopt;
    }
    const auto admin_port = static_cast<std::uint16_t>(port + admin_offset);
    return upstream_target{{std::string(url), port}, {std::string(url), admin_port}, secure};
}

/// How connections to the service are secured: by its URLs, and by what the file says.
void read_upstream_security(const edge::v1::Upstream& given, upstream_service& to,
                            config::reader& from) {
    const auto problem = [&](std::string_view what) {
        from.problem("routes file", fmt::format("upstream \"{}\": {}", given.name(), what));
    };
    const auto is_secure = [](const auto& target) {
        return target.secure;
    };
    if (std::ranges::none_of(to.targets, is_secure)) {
        if (given.has_tls()) {
            problem("tls goes with https:// URLs");
        }
        return;
    }
    if (!std::ranges::all_of(to.targets, is_secure)) {
        problem("all URLs are https://, or none is");
    }
    if (given.admin_port_offset() == 0 && !given.always_ready()) {
        problem("/readyz is asked without TLS: admin_port_offset is missing");
    }
    if (given.name() == "web-api") {
        problem("who tokens belong to is asked without TLS: web-api's URLs are http://");
    }
    upstream_security out;
    out.tls.ca_file = given.tls().ca_file();
    out.tls.chain_file = given.tls().certificate().chain_file();
    out.tls.key_file = given.tls().certificate().key_file();
    out.server_name =
        given.tls().server_name().empty() ? to.targets[0].address.host : given.tls().server_name();
    const bool one_name = std::ranges::all_of(to.targets, [&](const auto& target) {
        return target.address.host == to.targets[0].address.host;
    });
    if (given.tls().server_name().empty() && !one_name) {
        problem("tls: server_name is missing, the URLs have several hosts");
    }
    for (const auto& each : tls_client::check(out.tls, system_clock().now())) {
        problem(fmt::format("tls: {}", each.detail));
    }
    to.security = std::move(out);
}

} // namespace

upstream_service read_upstream(const edge::v1::Upstream& given, config::reader& from) {
    upstream_service out;
    out.name = given.name();
    out.always_ready = given.always_ready();
    if (out.always_ready && (given.admin_port_offset() > 0 || out.name == "web-api")) {
        from.problem(
            "routes file",
            fmt::format("upstream \"{}\": always_ready is for what has no /readyz", out.name));
    }
    if (given.requests_max() > 0) {
        out.requests_max = given.requests_max();
    }
    if (given.has_waiting_max()) {
        out.waiting_max = given.waiting_max();
    }
    const auto urls = from.text(given.url_variable(), given.default_url(),
                                fmt::format("Base URLs of {}, comma separated", given.name()));
    for (std::string_view rest = urls; !rest.empty();) {
        const auto comma = rest.find(',');
        const auto url = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
        const auto target = parse_target(url, given.admin_port_offset());
        if (target) {
            out.targets.push_back(*target);
        } else {
            from.problem(given.url_variable(),
                         fmt::format("is \"{}\"; expected http://host:port, comma separated", url));
        }
    }
    read_upstream_security(given, out, from);
    return out;
}

} // namespace relais::gateway
