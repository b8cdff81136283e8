#pragma once

#include "ids/random.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace relais::inbox {

/// 64 uniform bits, for the jitter of retries.
inline std::uint64_t random_bits() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    unique_bytes(bytes);
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes.data(), bytes.size());
    return bits;
}

} // namespace relais::inbox
