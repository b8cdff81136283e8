#pragma once

#include "gateway/tls/openssl_handles.hpp"

#include <span>
#include <string>
#include <vector>

namespace relais::gateway {

/// Protocols as ALPN writes them: each behind its length (RFC 7301 §3.1). A name that is empty or
/// longer than 255 bytes is a bug of the configuration: throws std::invalid_argument.
std::vector<unsigned char> alpn_list(std::span<const std::string> protocols);

/// What both roles share: TLS 1.2 and 1.3, Mozilla's intermediate ciphers ("Server Side TLS" 5.7,
/// without finite-field DHE), X25519 and P-256, no renegotiation, no compression, buffers given
/// back while idle, no session cache of OpenSSL's own. Never nullptr: throws std::runtime_error.
context_handle make_context(const SSL_METHOD* method);

} // namespace relais::gateway
