#pragma once

#include "result/result.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais {

/// The value of a hexadecimal digit of either case; -1 for anything else.
inline int hex_value(char digit) {
    static constexpr auto values = [] {
        std::array<std::int8_t, 256> table{};
        table.fill(-1);
        for (unsigned char value = 0; value < 16; ++value) {
            const auto number = static_cast<std::int8_t>(value);
            table[static_cast<unsigned char>("0123456789abcdef"[value])] = number;
            table[static_cast<unsigned char>("0123456789ABCDEF"[value])] = number;
        }
        return table;
    }();
    return values[static_cast<unsigned char>(digit)];
}

/// Lower-case hexadecimal.
/// Writes two digits a byte; gives where the next one goes.
char* write_hex(std::span<const std::uint8_t> bytes, char* out);

std::string to_hex(std::span<const std::uint8_t> bytes);

/// base64url without padding (RFC 4648 §5).
std::string to_base64url(std::span<const std::uint8_t> bytes);

/// Strict: no padding, no other alphabet, no stray bits. Error: `invalid` / "invalid-base64url".
result<std::vector<std::uint8_t>> from_base64url(std::string_view text);

/// The bytes of a string, for hashing and encoding.
std::span<const std::uint8_t> as_bytes(std::string_view text);

/// SHA-256 of the bytes.
std::vector<std::uint8_t> sha256(std::span<const std::uint8_t> bytes);

/// HMAC-SHA-256.
std::vector<std::uint8_t> hmac_sha256(std::span<const std::uint8_t> key,
                                      std::span<const std::uint8_t> bytes);

/// Compares without telling by its duration where the difference is.
bool equal_in_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

} // namespace relais
