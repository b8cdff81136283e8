#pragma once

#include "gateway/client_address/ip_address.hpp"
#include "result/result.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace relais::gateway {

/// A block of addresses (RFC 4632, RFC 4291 §2.3): "10.0.0.0/8", "2001:db8::/32", or one address,
/// "::1". A block of mapped addresses (::ffff:10.0.0.0/104) is the IPv4 block. No IPv6 block holds
/// IPv4 addresses, not even ::/0: whoever wants all writes both.
class cidr {
public:
    /// Error: `invalid` / "invalid-cidr"; the detail says what is wrong. Bits behind the prefix are
    /// an error, too (10.1.2.3/8): one of the two was meant differently.
    static result<cidr> parse(std::string_view text);

    /// The block of that prefix length (at most 32 or 128, else all of it) around an address.
    static cidr around(const ip_address& address, unsigned length);

    bool contains(const ip_address& address) const {
        return contains(to_bits(address));
    }

    bool contains(const address_bits& bits) const {
        return bits.is_v4() == is_v4() && masked(bits, length_) == network_;
    }

    bool is_v4() const {
        return length_ >= mapped_prefix_bits && network_.is_v4();
    }

    /// The first address, and the length as of an IPv6 prefix: 96 more than written for IPv4.
    const address_bits& network() const {
        return network_;
    }

    unsigned mapped_length() const {
        return length_;
    }

    /// As parse() reads it, always with the length.
    std::string text() const;

    friend auto operator<=>(const cidr&, const cidr&) = default;

private:
    cidr(const address_bits& network, unsigned length) : network_(network), length_(length) {}

    address_bits network_;
    unsigned length_;
};

} // namespace relais::gateway
