#pragma once

#include "gateway/client/client_side.hpp"
#include "gateway/listeners/door.hpp"
#include "http/gate.hpp"
#include "http/message.hpp"

#include <optional>

namespace relais::gateway {

/// Whether a request may come as it came: 400 `plain-http` on a TLS port; 421 `misdirected`
/// (RFC 9110 §15.5.20) for a host whose certificate the client did not see, where the listener is
/// strict.
result<void> check_transport(const client_info& info, const http::request_head& head);

/// Where the listener sends this request instead of serving it.
std::optional<http::response> redirect_of(const client_info& info, const http::request_head& head,
                                          bool https);

/// Adds Strict-Transport-Security (RFC 6797) to an answer over TLS in place of the service's own,
/// where the listener says so.
void write_transport_security(const client_info& info, answer_head& to);

} // namespace relais::gateway
