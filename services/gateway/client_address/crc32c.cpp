#include "gateway/client_address/crc32c.hpp"

#include <array>

namespace relais::gateway {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78; // bits reversed

constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t byte = 0; byte < out.size(); ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
        }
        out[byte] = value;
    }
    return out;
}();

} // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
    std::uint32_t sum = ~before;
    for (const unsigned char byte : bytes) {
        sum = (sum >> 8) ^ table[(sum ^ byte) & 0xff];
    }
    return ~sum;
}

} // namespace relais::gateway
