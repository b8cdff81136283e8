#pragma once

#include "http/gate.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// The cookie that carries a browser's session. Its prefix makes browsers take it from us alone,
/// over TLS, for the whole host (RFC 6265bis §4.1.3.2).
inline constexpr std::string_view session_cookie_name = "__Host-sid";

/// The token in the session cookie. Nothing: there is none, or more than one, and then nobody knows
/// which of them is meant.
std::optional<std::string_view> session_cookie(const std::vector<http::field_view>& fields);

/// The value of a Cookie field without the session's; empty: nothing is left. What goes to a
/// service must not be good for acting as the caller somewhere else.
std::string without_session_cookie(std::string_view cookies);

/// Whether a request that a cookie authenticates was made by our own pages or by the person, not by
/// somebody else's page: Sec-Fetch-Site says so (Fetch Metadata), or where a browser does not say
/// it, Origin. `trusted`: other origins ("https://app.example.com") that may. Neither field: no.
bool is_made_by_our_pages(const http::request_head& head, bool https,
                          const std::vector<std::string>& trusted);

} // namespace relais::gateway
