#pragma once

#include "clock/clock.hpp"
#include "gateway/tls/published.hpp"
#include "gateway/tls/tls_session.hpp"
#include "result/result.hpp"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// How the gateway speaks TLS to the instances of a service.
struct tls_client_settings {
    std::string ca_file;    ///< PEM; whom we believe; empty: whom the system believes
    std::string chain_file; ///< our own certificate (mTLS); empty: we show none
    std::string key_file;   ///< together with the chain
    std::vector<std::string> alpn{"http/1.1"};

    friend bool operator==(const tls_client_settings&, const tls_client_settings&) = default;
};

struct client_material;

/// The client side, shared by all loops; each has a connector of its own. Outlives its connectors.
class tls_client {
public:
    /// Throws std::runtime_error with everything that is wrong with the files, and
    /// std::invalid_argument for an impossible ALPN list.
    tls_client(tls_client_settings settings, const clock& clock);
    ~tls_client();

    /// What is wrong with the files, all of it.
    static std::vector<error> check(const tls_client_settings& settings, timestamp now);

    /// Reads the files again; with any problem the old ones stay in force. Control thread. Errors:
    /// those of certificate_store::load().
    std::expected<void, std::vector<error>> reload();

    /// What reload() reads.
    std::vector<std::string> files() const;

private:
    friend class tls_connector;

    tls_client_settings settings_;
    const clock& clock_;
    published<client_material> material_;
};

/// Makes the client sessions of one loop, on that loop's thread, and outlives them. Keeps the
/// tickets of each target; those of TLS 1.3 are used once (RFC 8446 appendix C.4). After a reload
/// it forgets them.
class tls_connector {
public:
    explicit tls_connector(const tls_client& client);
    ~tls_connector();
    tls_connector(tls_connector&&) noexcept;
    tls_connector& operator=(tls_connector&&) noexcept;

    /// For a connected, non-blocking socket. The peer has to prove `server_name`, a DNS name or an
    /// address, which may not be empty; `target` is what tickets are kept under: peers that share
    /// it share tickets ("10.0.0.1:8443").
    tls_session connect(int descriptor, std::string_view server_name, std::string_view target);

    /// How many tickets are kept for a target.
    std::size_t tickets(std::string_view target) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::gateway
