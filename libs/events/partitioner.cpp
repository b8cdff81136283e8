#include "events/partitioner.hpp"

#include <cassert>

namespace relais::events {
namespace {

constexpr std::uint32_t mixer = 0x5bd1e995;
constexpr std::uint32_t seed = 0x9747b28c;

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

} // namespace

std::uint32_t murmur2(std::string_view bytes) {
    std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
    std::size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4) {
        std::uint32_t word = byte_at(bytes, at) | byte_at(bytes, at + 1) << 8U |
                             byte_at(bytes, at + 2) << 16U | byte_at(bytes, at + 3) << 24U;
        word *= mixer;
        word ^= word >> 24U;
        word *= mixer;
        hash *= mixer;
        hash ^= word;
    }
    const auto left = bytes.size() - at;
    for (std::size_t i = left; i > 0; --i) {
        hash ^= byte_at(bytes, at + i - 1) << (8U * static_cast<unsigned>(i - 1));
    }
    if (left > 0) {
        hash *= mixer;
    }
    hash ^= hash >> 13U;
    hash *= mixer;
    hash ^= hash >> 15U;
    return hash;
}

std::int32_t partition_of(std::string_view key, std::uint32_t partitions) {
    assert(partitions > 0);
    return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) % partitions);
}

std::int32_t partition_of(std::string_view key, std::string_view topic) {
    const auto* known = find_topic(topic);
    return known == nullptr ? 0 : partition_of(key, known->partitions);
}

} // namespace relais::events
