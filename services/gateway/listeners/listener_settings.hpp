#pragma once

#include "config/reader.hpp"
#include "gateway/tls/certificate_store.hpp"
#include "gateway/tls/tls_server.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace relais::gateway {

enum class listener_protocol { http, https, h2c };

/// Whether connections begin with a PROXY header. `trusted`: those of trusted peers do, the others'
/// bytes are HTTP or TLS; `required`: nobody but trusted peers may connect.
enum class proxy_policy { off, trusted, required };

struct redirect_rule {
    std::string host;    ///< lower case; empty: any
    std::string to_host; ///< empty: the same
    bool to_https = false;
    std::uint16_t to_port = 0; ///< 0: the scheme's own
    int status = 308;
    std::vector<std::string> except_prefixes;
};

/// What a listener does with its connections, checked. Immutable.
struct listener_settings {
    /// The address as it is configured: what it is called in logs and metrics, and by which one
    /// configuration's listener is the next one's.
    std::string name;
    config::endpoint address;
    listener_protocol protocol = listener_protocol::http;
    std::vector<certificate_files> certificates;
    tls_version version_min = tls_version::tls_1_2;
    std::vector<std::string> alpn{"h2", "http/1.1"};
    proxy_policy proxy = proxy_policy::off;
    bool strict_server_name = false;
    bool redirect_plain_http = false;
    std::vector<redirect_rule> redirects;
    std::chrono::milliseconds handshake_timeout{10'000}; ///< with the PROXY header
    std::string transport_security; ///< the field's value; empty: it is not sent
};

} // namespace relais::gateway
