#pragma once

#include "clock/clock.hpp"
#include "gateway/tls/tls_outcome.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

struct tls_session_state;

/// What the handshake settled, for routing and the log. The views live as long as the session.
struct tls_facts {
    std::string_view version;     ///< "TLSv1.3"
    std::string_view cipher;      ///< OpenSSL's name: "TLS_AES_128_GCM_SHA256"
    std::string_view alpn;        ///< "h2"; empty: none was negotiated
    std::string_view server_name; ///< SNI (RFC 6066 §3); empty: none, or not a host name
    bool resumed = false;         ///< by a ticket, without certificates
};

/// The certificate that the peer proved to own, verified by what the session was made with.
struct tls_peer {
    std::string subject; ///< RFC 2253: "CN=web-api,O=Relais"
    std::vector<std::string> dns_names;
    std::vector<std::string> uris; ///< SPIFFE ids among others
    std::string sha256;            ///< of the certificate, hexadecimal
    timestamp not_after;
};

/// TLS over one connected, non-blocking stream socket. The session reads and writes the socket
/// itself but does not own it: the socket lives longer, and is closed by who opened it. Made by
/// tls_acceptor (server) or tls_connector (client); used on that one's thread only, and gone before
/// it. Nothing here blocks, locks or throws. After `failed` every call says so again.
class tls_session {
public:
    explicit tls_session(std::unique_ptr<tls_session_state> state);
    ~tls_session();
    tls_session(tls_session&&) noexcept;
    tls_session& operator=(tls_session&&) noexcept;

    /// Until `done`, before anything else. Server: `failed` with `plain_http` leaves the client's
    /// bytes in the socket, so that the caller can answer as on a plain port; `closed` means that
    /// the peer left before it said anything (a probe of the port).
    tls_outcome handshake();

    /// Fills `into` as far as that takes at most one read of the socket beyond what is here
    /// already. `done`: `bytes` > 0 came, there may be more; `want_read` and `want_write`: nothing
    /// came, the socket is empty (so this fits edge-triggered readiness, too); `closed`: nothing
    /// will come, but writing goes on (half-close); `failed` with `truncated`: the connection ended
    /// and what came before may be incomplete.
    tls_outcome read(std::span<char> into);

    /// Sends the pieces as one stream; small ones share a record. `done`: the kernel has
    /// everything. `want_write`: the socket is full and the first `bytes` need not be given again;
    /// call once more when it is writable, with the rest, also when there is none. Records are
    /// small at the beginning (the first 64 KiB after a start or a second of silence), so that each
    /// arrives in one segment and can be read at once, then full-sized. Not after shutdown().
    tls_outcome write(std::span<const std::string_view> pieces);
    tls_outcome write(std::string_view bytes);

    /// Sends close_notify; reading goes on. `done` also where there is nothing to say (no finished
    /// handshake, a failed session).
    tls_outcome shutdown();

    /// Whether read() has something to look at without the socket becoming readable.
    bool has_pending() const;
    /// Whether the handshake is done.
    bool established() const;

    /// Empty before the handshake is done.
    tls_facts facts() const;

    /// Nothing where the peer showed no certificate. Parses: not for every request.
    std::optional<tls_peer> peer() const;

    /// What is known about a failure, for the log: "tls alert unknown ca". Holds nothing that the
    /// peer wrote.
    std::string failure_text() const;

private:
    std::unique_ptr<tls_session_state> state_;
};

} // namespace relais::gateway
