#pragma once

#include "gateway/client_address/ip_address.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// Whom a limit by address counts as one: an IPv4 address, also when it comes in its mapped form;
/// of IPv6 a prefix, because one household or one rented machine has all of a /64.
class address_key {
public:
    /// `v6_prefix`: how many bits count, 1 to 128 (more is 128, 0 is 1).
    explicit address_key(const ip_address& address, unsigned v6_prefix = 64);

    /// From 16 bytes as on the wire.
    explicit address_key(const std::array<std::uint8_t, 16>& bytes, unsigned v6_prefix = 64);

    /// The subject for limit_table and concurrency_table; lives as long as this object.
    std::string_view bytes() const;

    friend bool operator==(const address_key&, const address_key&) = default;

private:
    address_key(const address_bits& bits, unsigned v6_prefix);

    std::array<std::uint8_t, 16> bytes_; ///< IPv4 mapped, which no IPv6 client has
};

} // namespace relais::gateway
