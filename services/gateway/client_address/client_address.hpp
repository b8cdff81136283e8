#pragma once

#include "gateway/client_address/cidr_set.hpp"
#include "http/gate.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace relais::gateway {

/// Where the client's address is taken from. One source, by configuration: a deployment knows what
/// stands before it, and every field that is not the configured one is the client's own invention.
enum class address_source : std::uint8_t {
    peer,            ///< nothing stands before the gateway, or it speaks PROXY (proxy_protocol.hpp)
    x_forwarded_for, ///< a list, each proxy appends whom it heard from
    forwarded,       ///< the same by RFC 7239
    cf_connecting_ip, ///< one address, set by Cloudflare
    named_field,      ///< one address in a field of another name ("True-Client-IP")
};

enum class client_protocol : std::uint8_t { http, https };

struct client_address_policy {
    /// Our own proxies. Fields of anybody else are never believed.
    cidr_set trusted;
    address_source source = address_source::peer;
    std::string field_name; ///< for address_source::named_field
    /// Elements looked at from the right; the walk ends there, at an address of ours.
    std::size_t hops_max = 16;
};

/// Whom a request comes from. The address is what limits, bans and logs go by.
struct client_address {
    ip_address address; ///< a mapped IPv4 address as IPv4
    bool peer_trusted = false;
    /// How the client reached the first proxy of ours, where a trusted peer says so: proto= beside
    /// the chosen for=, else X-Forwarded-Proto. Nothing: as the connection to the gateway is.
    std::optional<client_protocol> protocol;
};

/// The client's address of a request that came over a connection from `peer`. Any bytes in the
/// fields are fine, and no outcome is an error: what cannot be believed leaves the last address
/// that could be.
///
/// - A peer outside `trusted`: the peer, whatever the fields say.
/// - Lists: from the right over all field lines, past addresses of ours, to the first that is not;
///   a malformed element, "unknown" or an obfuscated name ends the walk before it, because who
///   stands left of it is hearsay of a stranger.
/// - Single addresses: exactly one field line with an address and nothing else, else the peer.
///
/// X-Forwarded-Proto with several values is read at the chosen address's place from the right.
/// Pure; allocates nothing.
client_address client_address_of(const ip_address& peer, const client_address_policy& policy,
                                 std::span<const http::field_view> fields);

} // namespace relais::gateway
