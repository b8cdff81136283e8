#pragma once

#include "http/gate.hpp"

#include <span>
#include <string>

namespace relais::http {

/// Makes a request's head of the fields of an HTTP/2 header block, in their order, as strictly as
/// parse_request_head() does of bytes, and with the same outcome: what stands behind the gate need
/// not know which version brought a request. Pure. `has_body`: the block did not end the stream.
/// `memory` holds what had to be put together (Cookie fields, RFC 9113 §8.2.3); the head's views
/// point into it and into what was received.
///
/// Errors: `invalid` / "malformed-request" for what RFC 9113 §8.1 to §8.3 calls malformed (names
/// that are no lower-case tokens, values with CR, LF, NUL or blanks around them, pseudo-header
/// fields that are unknown, repeated, missing or late, fields of a connection, TE that is not
/// "trailers", an authority or path that is none, Host unlike :authority, a Content-Length that is
/// no number or does not fit the end of the stream): the stream is reset. Others are answered:
/// "unknown-method" 501 (CONNECT too), "uri-too-long" 414, "expectation-failed" 417,
/// "header-too-large" 431.
result<void> read_h2_request(std::span<const field_view> received, bool has_body,
                             const gate_limits& limits, std::string& memory, request_head& head);

/// Checks a block behind the body; its fields are dropped. Error: `invalid` / "malformed-request".
result<void> check_h2_trailers(std::span<const field_view> received, const gate_limits& limits);

} // namespace relais::http
