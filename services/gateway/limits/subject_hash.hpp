#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// Where a subject of a limit stands in a table: SipHash-2-4 under a random key of this object, so
/// that nobody outside can choose subjects that meet in one place, or learn which do.
/// Thread-safe: immutable.
class subject_hash {
public:
    using key = std::array<std::uint8_t, 16>;

    subject_hash();                           ///< a random key
    explicit subject_hash(const key& secret); ///< for tests

    /// Never 0. `limit` keeps the same subject apart under different limits; the subject may be any
    /// bytes of any length.
    std::uint64_t operator()(std::uint32_t limit, std::string_view subject) const;

private:
    key key_{};
};

} // namespace relais::gateway
