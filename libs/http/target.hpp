#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais::http {

/// Checks the path of a request target and writes the one form in which it is routed, handled and
/// forwarded: percent-encoded unreserved characters decoded, other escapes in upper case, "." and
/// ".." resolved (RFC 3986 §6.2.2), runs of slashes made one. A slash at the end stays. Error:
/// `invalid` / "malformed-request" for bytes that may not stand there, broken escapes, and escapes
/// that another reader might take for structure: %2F, %5C, %00 and other control characters.
result<void> normalise_path(std::string_view raw, std::string& path);

/// Whether a query holds only what RFC 3986 §3.4 allows (and '[' ']', which browsers send), with
/// complete escapes and without %00.
bool is_valid_query(std::string_view raw);

/// Decodes escapes. Error: `invalid` / "malformed-request" when one is broken or the outcome is not
/// UTF-8 without U+0000. `plus_is_space` as in forms and queries.
result<std::string> percent_decode(std::string_view raw, bool plus_is_space);

/// Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms.
bool is_utf8(std::string_view text);

/// Whether this is a host with an optional port as it may stand in Host: a name of letters, digits,
/// "-", "." and "_", or an address; no user, no list, no blanks.
bool is_valid_host(std::string_view text);

} // namespace relais::http
