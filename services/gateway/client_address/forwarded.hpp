#pragma once

#include "gateway/client_address/ip_address.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace relais::gateway {

/// One party of a forwarded request (RFC 7239 §6): "192.0.2.43", "[2001:db8::17]:4711", "unknown",
/// "_gazonk".
struct forwarded_node {
    enum class form : std::uint8_t { absent, address, unknown, obfuscated };

    form kind = form::absent;
    ip_address address;                ///< for form::address; a mapped one as IPv4
    std::optional<std::uint16_t> port; ///< not for an obfuscated one

    friend bool operator==(const forwarded_node&, const forwarded_node&) = default;
};

/// One element of Forwarded: what one proxy says (RFC 7239 §4). Views point into the text.
struct forwarded_element {
    forwarded_node from; ///< for=: who sent the request to the proxy
    forwarded_node by;   ///< by=: where the proxy received it
    std::string_view host;
    std::string_view proto; ///< a scheme in any case; empty when not said
};

/// Strict: the grammar of RFC 7239 §4 and §6 without blanks around "=" and ";"; a name twice, an
/// address without the brackets or quotation marks it needs, an escape in one of the four values
/// (none of them needs one) and more than 16 parameters are refused. Other parameters are checked
/// and skipped. Nothing when malformed; an element that says nothing (";") is one. Allocates
/// nothing.
std::optional<forwarded_element> parse_forwarded_element(std::string_view text);

/// The value of for= or by=, without quotation marks.
std::optional<forwarded_node> parse_forwarded_node(std::string_view text);

} // namespace relais::gateway
