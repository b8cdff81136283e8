#pragma once

#include "gateway/tls/tls_outcome.hpp"

#include <string_view>

namespace relais::gateway {

/// What the first bytes of a connection to a TLS port are: `none` when they can begin a handshake
/// (RFC 8446 §5.1: a record of type 22), `plain_http` when they can begin an HTTP request line
/// (RFC 9112 §3, also HTTP/2's preface), else `not_tls`. `head` holds at least one byte.
tls_failure judge_first_bytes(std::string_view head);

} // namespace relais::gateway
