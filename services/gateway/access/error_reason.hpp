#pragma once

#include "result/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relais::gateway {

/// Why the gateway itself answered, or cut off what it had begun. A closed set: the label `reason`
/// of gateway_errors_total, the log's `error_reason`, the event's error_reason.
enum class error_reason : std::uint8_t {
    none, ///< it did not
    // What the client did.
    protocol_error,
    header_too_large,
    uri_too_long,
    body_too_large,
    request_timeout,
    client_disconnect,
    invalid_token,
    unauthenticated,
    forbidden,
    cross_site,
    no_route,
    not_found,
    misdirected,
    http2_abuse,
    method_not_allowed,
    conflict,
    too_large,
    rate_limited,
    upload_limit,
    connection_limit,
    banned,
    // What the service did.
    no_healthy_upstream,
    upstream_overflow,
    queue_timeout,
    circuit_open,
    connect_timeout,
    connect_refused,
    upstream_timeout,
    upstream_reset,
    upstream_truncated,
    upstream_protocol_error,
    upstream_error,
    upgrade_failed,
    // What the gateway did, or what cannot be laid to anybody.
    idle_timeout,
    deadline_exceeded,
    timeout,
    unavailable,
    overloaded,
    draining,
    maintenance,
    loop_detected,
    internal,
};

inline constexpr std::size_t error_reason_count =
    static_cast<std::size_t>(error_reason::internal) + 1;

/// Whose doing it was.
enum class reason_side : std::uint8_t { client, service, own };

/// "upstream_timeout"; empty for none.
std::string_view to_string(error_reason reason);

/// Heroku's code ("H12" for upstream_timeout), so that old searches still find things; empty where
/// Heroku had none.
std::string_view heroku_code(error_reason reason);

reason_side side_of(error_reason reason);

/// The reason with this word; nullopt for any other text, the empty one included.
std::optional<error_reason> reason_named(std::string_view word);

/// The reason for an error of the request path, by its slug, or else by its kind. Never none.
error_reason error_reason_of(const error& why);

} // namespace relais::gateway
