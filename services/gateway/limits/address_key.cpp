#include "gateway/limits/address_key.hpp"

#include <algorithm>

namespace relais::gateway {

address_key::address_key(const ip_address& address, unsigned v6_prefix)
    : address_key(to_bits(address), v6_prefix) {}

address_key::address_key(const std::array<std::uint8_t, 16>& bytes, unsigned v6_prefix)
    : address_key(to_bits(bytes), v6_prefix) {}

address_key::address_key(const address_bits& bits, unsigned v6_prefix)
    : bytes_((bits.is_v4() ? bits : masked(bits, std::clamp(v6_prefix, 1U, 128U))).bytes()) {}

std::string_view address_key::bytes() const {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters here
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

} // namespace relais::gateway
