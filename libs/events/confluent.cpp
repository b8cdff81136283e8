#include "events/confluent.hpp"

#include <cstdint>

namespace relais::events {
namespace {

constexpr std::size_t schema_id_size = 4;
/// Deeper nested than any schema.
constexpr std::int64_t indexes_max = 100;

/// A varint of at most 5 bytes, in zigzag; nullopt when it does not end.
std::optional<std::int64_t> take_zigzag(std::string_view& from) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35 && !from.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            const auto half = static_cast<std::int64_t>(value >> 1U);
            return (value & 1U) == 0 ? half : -half - 1;
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string_view> unwrap_confluent(std::string_view value) {
    if (value.size() <= 1 + schema_id_size || value.front() != '\0') {
        return std::nullopt;
    }
    auto rest = value.substr(1 + schema_id_size);
    const auto count = take_zigzag(rest); // 0 stands for the one index 0
    if (!count || *count < 0 || *count > indexes_max) {
        return std::nullopt;
    }
    for (std::int64_t i = 0; i < *count; ++i) {
        const auto index = take_zigzag(rest);
        if (!index || *index < 0) {
            return std::nullopt;
        }
    }
    return rest;
}

} // namespace relais::events
