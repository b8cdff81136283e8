#pragma once

#include "gateway/tls/tls_session.hpp"
#include "metrics/registry.hpp"

#include <array>

namespace relais::gateway {

/// Why a connection ended before anything of HTTP, where TLS has no word for it.
enum class arrival_failure : std::uint8_t {
    timeout,        ///< the handshake, or the PROXY header, took too long
    closed,         ///< the client left before it said anything
    proxy_header,   ///< the PROXY header is not one
    untrusted_peer, ///< nobody but trusted peers may connect here
    refused,        ///< banned, or too many connections of this address
};

/// What becomes of connections before anything of HTTP.
class arrival_metrics {
public:
    explicit arrival_metrics(metrics::registry& metrics);

    void secured(const tls_facts& how);
    void failed(tls_failure why);
    void failed(arrival_failure why);

private:
    static constexpr std::size_t failures = static_cast<std::size_t>(tls_failure::internal) + 1;

    std::array<metrics::counter, 4> secured_; ///< TLS 1.2 and 1.3, each also resumed
    std::array<metrics::counter, failures> tls_failures_;
    std::array<metrics::counter, 5> failures_;
};

} // namespace relais::gateway
