#pragma once

#include "http/gate.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// A field that says how far a request may go; see max_forwards().
inline constexpr std::string_view max_forwards_field = "max-forwards";

/// The one protocol that a client asks to switch to, and that is allowed; empty: it asks for none,
/// which is not wrong: it is then answered in HTTP/1.1 (RFC 9110 §7.8).
std::string_view upgrade_of(const http::request_head& head,
                            const std::vector<std::string>& allowed);

/// Whether a 101 switches to exactly this protocol.
bool switches_to(const http::response_head& answer, std::string_view protocol);

/// Whether the request came through this gateway, or one like it, already (by Via): sending it on
/// might send it round for ever.
bool went_through_us(const http::request_head& head);

/// Max-Forwards of a request that may be answered on its way (OPTIONS; RFC 9110 §7.6.2).
std::optional<std::uint64_t> max_forwards(const http::request_head& head);

/// It only reads (RFC 9110 §9.2.1).
bool is_safe(std::string_view method);

/// Sending it twice is the same as once (RFC 9110 §9.2.2).
bool is_idempotent(std::string_view method);

} // namespace relais::gateway
