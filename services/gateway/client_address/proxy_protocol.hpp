#pragma once

#include "gateway/client_address/ip_address.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// The PROXY protocol's header, by which a proxy that does not read HTTP says whom it relays
/// (haproxy's proxy-protocol.txt, versions 1 and 2). A listener either requires it or refuses it,
/// and requires it from trusted peers only: nobody looks whether there may be one, because then
/// anybody might bring it. Nothing of the connection is read before the header is complete.
///
/// What it gives is the connection's peer from then on: client_address_of() is asked with it, so
/// fields behind it are believed only if that address is trusted, too.
struct proxy_header {
    /// Not relayed (LOCAL, the proxy's own health check), or from where cannot be said (UNKNOWN,
    /// AF_UNSPEC, a UNIX socket): the connection's real ends count, the addresses are unset.
    bool use_peer = true;
    ip_address source; ///< a mapped IPv4 address as IPv4
    ip_address destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    /// The proxy says that the client came to it over TLS (version 2, PP2_TYPE_SSL).
    bool over_tls = false;

    /// The address that stands for the connection's other end.
    ip_address peer(const ip_address& connected) const {
        return use_peer ? unmapped(connected) : source;
    }
};

struct proxy_protocol_limits {
    /// Of version 2: addresses and TLVs, behind the first 16 bytes. Version 1 has its own limit of
    /// 107 bytes.
    std::size_t block_bytes_max = 1024;
    bool version_1 = true;
    bool version_2 = true;
};

/// Parses a header at the beginning of the buffer. Gives the bytes it took, or 0: more are needed,
/// never more than the limits allow. `header` is set when it gives a number above 0. Error:
/// `invalid` / "malformed-proxy-header" as soon as the bytes cannot become a header; the connection
/// is then closed without an answer. The lengths of TLVs are checked, those of PP2_TYPE_SSL inside,
/// too; a CRC-32C that is there must be right; other TLVs are skipped. Of LOCAL and AF_UNSPEC
/// nothing but the length is looked at, as the specification says.
result<std::size_t> parse_proxy_header(std::string_view buffer, const proxy_protocol_limits& limits,
                                       proxy_header& header);

} // namespace relais::gateway
