#pragma once

#include "result/result.hpp"

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace relais {

/// A UUID (RFC 9562), kept as 16 bytes; its text form is 36 lower-case characters.
class uuid {
public:
    constexpr uuid() = default;

    explicit constexpr uuid(const std::array<std::uint8_t, 16>& bytes) : bytes_(bytes) {}

    /// Accepts the 36-character form only, in either case. Error: `invalid` / "invalid-id".
    static result<uuid> parse(std::string_view text);

    std::string text() const;
    /// The same without memory of its own.
    std::array<char, 36> characters() const;

    const std::array<std::uint8_t, 16>& bytes() const {
        return bytes_;
    }

    bool is_nil() const;

    /// Milliseconds since 1970 of a version 7 UUID.
    std::chrono::sys_time<std::chrono::milliseconds> time() const;

    friend auto operator<=>(const uuid&, const uuid&) = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

/// Makes version 7 UUIDs (RFC 9562 §5.7): 48 bits of milliseconds, then random bits. Within one
/// millisecond ids of one process still ascend (12-bit counter, method 1 of §6.2). Thread-safe.
uuid make_uuid_v7();

/// The same from given parts, for tests and simulators.
uuid make_uuid_v7(std::chrono::sys_time<std::chrono::milliseconds> time, std::uint16_t counter,
                  std::uint64_t random);

} // namespace relais

template <>
struct std::hash<relais::uuid> {
    std::size_t operator()(const relais::uuid& id) const noexcept;
};
