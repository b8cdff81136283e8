#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relais::gateway {

/// An IP address of either family.
using ip_address = boost::asio::ip::address;

/// The 128 bits of an address in host order, IPv4 in its mapped form ::ffff:a.b.c.d (RFC 4291
/// §2.5.5.2): one kind of comparison serves both families, and a client that a dual-stack socket
/// shows as mapped is the same client. Without a scope id.
struct address_bits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    bool is_v4() const {
        return high == 0 && low >> 32 == 0xffff;
    }

    /// Big-endian, as on the wire.
    std::array<std::uint8_t, 16> bytes() const;

    friend auto operator<=>(const address_bits&, const address_bits&) = default;
};

/// How many bits of the mapped form come before an IPv4 address.
inline constexpr unsigned mapped_prefix_bits = 96;

/// Keeps the first `length` (0 to 128) bits.
address_bits masked(const address_bits& bits, unsigned length);

address_bits to_bits(const ip_address& address);

/// From 16 bytes as on the wire.
address_bits to_bits(const std::array<std::uint8_t, 16>& bytes);

/// IPv4 where the bits are a mapped IPv4 address.
ip_address to_address(const address_bits& bits);

/// The same address, a mapped IPv4 address as IPv4, without a scope id.
ip_address unmapped(const ip_address& address);

/// An address and nothing else: dotted decimal without leading zeros, or RFC 4291 §2.2. No
/// brackets, no port, no scope id; a mapped address comes out as IPv4. Allocates nothing.
std::optional<ip_address> parse_address(std::string_view text);

/// As proxies write it in X-Forwarded-For: an address, or IPv4 with ":port", or IPv6 in brackets
/// with or without ":port". The port is checked (0 to 65535) and dropped.
std::optional<ip_address> parse_address_and_port(std::string_view text);

/// Decimal digits only, 0 to 65535, at most five.
std::optional<std::uint16_t> parse_port(std::string_view text);

} // namespace relais::gateway
