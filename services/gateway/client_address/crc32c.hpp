#pragma once

#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// CRC-32C (Castagnoli; RFC 4960 appendix B) of the bytes behind those that gave `before`, which is
/// 0 at the beginning.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

} // namespace relais::gateway
