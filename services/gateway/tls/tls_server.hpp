#pragma once

#include "clock/clock.hpp"
#include "gateway/tls/certificate_store.hpp"
#include "gateway/tls/published.hpp"
#include "gateway/tls/ticket_keys.hpp"
#include "gateway/tls/tls_session.hpp"
#include "result/result.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// Whether a client has to show a certificate. `optional`: one that is shown has to be good.
enum class client_certificates { off, optional, required };

enum class tls_version { tls_1_2, tls_1_3 };

/// Of one listener.
struct tls_server_settings {
    tls_version version_min = tls_version::tls_1_2;
    /// In the order of our preference. A client that offers only others is refused (RFC 7301 §3.2);
    /// one that offers none gets none.
    std::vector<std::string> alpn{"h2", "http/1.1"};
    gateway::client_certificates client_certificates = client_certificates::off;
    std::string client_ca_file; ///< PEM; needed unless `off`
    /// How long a session may be resumed, with certificates of the time it began. A ticket also
    /// ends when its key is dropped (ticket_key_settings).
    std::chrono::seconds session_lifetime{std::chrono::hours(8)};
    /// Of TLS 1.3, for each full handshake; costs 5 % of a handshake each. HTTP/2 clients need one.
    unsigned tickets = 1;
};

struct client_authorities;

/// The server side of a listener, shared by all loops; each has an acceptor of its own. Outlives
/// its acceptors, and is outlived by what it is given. 0-RTT, renegotiation and session caches are
/// off: a session is resumed by ticket only, on any instance that has the keys, and only by a
/// listener that asks for client certificates in the same way and by the same authorities.
class tls_server {
public:
    /// `certificates` and `keys` are published before the first acceptor is made. Throws
    /// std::runtime_error for a client CA file that cannot be used and std::invalid_argument for an
    /// impossible ALPN list.
    tls_server(tls_server_settings settings, const published<certificate_store>& certificates,
               const published<ticket_key_set>& keys, const clock& clock);
    ~tls_server();

    /// Reads the client CA file again; a broken one leaves the old one in force. Control thread.
    /// Errors, all `invalid`: "unreadable-file", "oversized-file", "no-certificate",
    /// "broken-certificate", "no-client-authorities" (no file is configured).
    result<void> reload_authorities();

    const tls_server_settings& settings() const;

private:
    friend class tls_acceptor;

    tls_server_settings settings_;
    const published<certificate_store>& certificates_;
    const published<ticket_key_set>& ticket_keys_;
    published<client_authorities> authorities_;
    const clock& clock_;
};

/// Makes the server sessions of one loop, on that loop's thread, and outlives them. It shares
/// nothing with other loops but immutable values: certificates, keys and authorities, of which it
/// takes the published ones whenever a connection comes. Running sessions keep what they have.
class tls_acceptor {
public:
    explicit tls_acceptor(const tls_server& server);
    ~tls_acceptor();
    tls_acceptor(tls_acceptor&&) noexcept;
    tls_acceptor& operator=(tls_acceptor&&) noexcept;

    /// For a connected, non-blocking socket of which nothing that belongs to TLS was read.
    tls_session accept(int descriptor);

    /// Whether clients that ask for these names get the same certificate. Of the certificates of
    /// the last accept().
    bool is_same_certificate(std::string_view one, std::string_view other) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::gateway
