#include "gateway/routing/upstream_security_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::gateway {

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
    if (given.admin_port_offset() == 0) {
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

} // namespace relais::gateway
