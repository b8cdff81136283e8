#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// What to do next with a session.
enum class tls_status : std::uint8_t {
    done,       ///< the operation is complete
    want_read,  ///< call again when the socket is readable
    want_write, ///< call again when the socket is writable
    closed,     ///< the peer said that it sends no more (close_notify)
    failed,     ///< the session is of no more use; see tls_outcome::failure
};

/// Why a session failed. The set is closed: it is the label of a metric.
enum class tls_failure : std::uint8_t {
    none,
    plain_http,           ///< the client speaks HTTP without TLS; its bytes are still in the socket
    not_tls,              ///< the client speaks something else
    truncated,            ///< the connection ended without close_notify (RFC 8446 §6.1)
    reset,                ///< the connection broke
    unsupported_version,  ///< below TLS 1.2 (or the listener's minimum)
    no_shared_parameters, ///< no cipher, group or signature algorithm in common
    no_shared_protocol,   ///< ALPN without a protocol of ours (RFC 7301 §3.2)
    certificate_missing,  ///< the peer has to show a certificate and did not
    certificate_refused,  ///< the peer's certificate is not acceptable
    alert_received,       ///< the peer gave up: the text says why
    protocol_violated,    ///< what came is not what TLS allows here
    internal,             ///< memory, or a bug
};

/// The value of the metric label, and the word used in logs.
std::string_view to_string(tls_failure failure);

struct tls_outcome {
    tls_status status = tls_status::done;
    tls_failure failure = tls_failure::none;
    /// How much was moved, whatever the status: the caller goes on behind these bytes.
    std::size_t bytes = 0;

    friend bool operator==(const tls_outcome&, const tls_outcome&) = default;
};

} // namespace relais::gateway
