#pragma once

#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/service_process.hpp"
#include "support/tls_certificates.hpp"
#include "support/tls_connection.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

namespace relais::test {

/// A listener's text in a routes file: PROTOCOL_HTTPS with these certificates, and more.
inline std::string https_listener(std::uint16_t port,
                                  const std::vector<certificate_pair>& certificates,
                                  const std::string& more = "") {
    std::string text = fmt::format(
        "listener {{ address: \"127.0.0.1:{}\" protocol: PROTOCOL_HTTPS {}\n", port, more);
    for (const auto& each : certificates) {
        text += fmt::format("  certificate {{ chain_file: \"{}\" key_file: \"{}\" }}\n",
                            each.chain_file, each.key_file);
    }
    return text + "}\n";
}

/// The real program with a TLS listener: `one.example`, the default, and `two.example`.
struct tls_gateway {
    explicit tls_gateway(const std::string& listener = "", const std::string& more = "",
                         const std::map<std::string, std::string>& variables = {})
        : gateway(routes(listener, more), variables) {}

    std::string routes(const std::string& listener, const std::string& more = "") const {
        return routes_for(origin.port()) + https_listener(port, {one, two}, listener) + more;
    }

    peer_settings trusting(const std::vector<std::string>& alpn = {}) const {
        peer_settings out;
        out.server_name = "one.example";
        out.ca_file = authority.ca_file();
        out.alpn = alpn;
        return out;
    }

    /// A figure of /metrics; -1: there is none.
    double metric(const std::string& series) const {
        const auto page = gateway.admin("/metrics");
        const auto at = page.find("\n" + series + " ");
        return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
    }

    certificate_folder folder;
    certificate_authority authority{folder, "authority"};
    certificate_pair one = authority.issue("one", {.dns_names = {"one.example"}});
    certificate_pair two = authority.issue("two", {.dns_names = {"two.example"}});
    origin_server origin;
    std::uint16_t port = free_port();
    gateway_process gateway;
};

} // namespace relais::test
