#include "gateway/limits/subject_hash.hpp"

#include "ids/random.hpp"

#include <sodium.h>

#include <cstring>
#include <span>

namespace relais::gateway {
namespace {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

std::uint64_t siphash(std::span<const std::uint8_t> bytes, const subject_hash::key& key) {
    std::array<std::uint8_t, crypto_shorthash_BYTES> out{};
    crypto_shorthash(out.data(), bytes.data(), bytes.size(), key.data());
    std::uint64_t value = 0;
    std::memcpy(&value, out.data(), out.size());
    return value;
}

} // namespace

subject_hash::subject_hash() {
    random_bytes(key_);
}

subject_hash::subject_hash(const key& secret) : key_(secret) {}

std::uint64_t subject_hash::operator()(std::uint32_t limit, std::string_view subject) const {
    // One buffer holds both. A long subject is hashed first, and marked: its hash may not meet a
    // short subject of the same bytes.
    std::array<std::uint8_t, 96> input;
    constexpr std::size_t before = sizeof limit + 1;
    std::memcpy(input.data(), &limit, sizeof limit);
    const bool longer = subject.size() > input.size() - before;
    input[sizeof limit] = longer ? 1 : 0;
    std::size_t size = subject.size();
    if (longer) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters are bytes here
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(subject.data());
        const auto inner = siphash({bytes, subject.size()}, key_);
        size = sizeof inner;
        std::memcpy(input.data() + before, &inner, size);
    } else if (size > 0) {
        std::memcpy(input.data() + before, subject.data(), size);
    }
    const auto value = siphash(std::span(input).first(before + size), key_);
    return value == 0 ? 1 : value;
}

} // namespace relais::gateway
