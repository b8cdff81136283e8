#pragma once

#include "support/tls_certificates.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace relais::test {

/// A service that speaks HTTP/1.1 through TLS, made of OpenSSL alone. Answers every request without
/// a body with the name of the client's certificate: "client CN=gateway", or "client none".
class tls_origin {
public:
    /// `client_ca`: clients have to show a certificate of this authority; empty: they need none.
    explicit tls_origin(const certificate_pair& own, const std::string& client_ca = "");
    ~tls_origin();
    tls_origin(const tls_origin&) = delete;
    tls_origin& operator=(const tls_origin&) = delete;

    std::uint16_t port() const;
    /// Handshakes that succeeded.
    int connections() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::test
