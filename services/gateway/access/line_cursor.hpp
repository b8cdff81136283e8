#pragma once

#include "log/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace relais::gateway {

/// Writes the pieces of a line one behind the other into memory that the caller knows to suffice.
class line_cursor {
public:
    /// Most that a byte of a text becomes: `\u001f`.
    static constexpr std::size_t escaped_max = 6;

    explicit line_cursor(char* begin) : at_(begin) {}

    /// As it is: a literal, or JSON already.
    void text(std::string_view piece) {
        std::memcpy(at_, piece.data(), piece.size());
        at_ += piece.size();
    }

    /// As a JSON string (log/json_text.hpp).
    void quoted(std::string_view value) {
        if (log::plain_length(value) != value.size()) {
            std::string escaped;
            log::append_json_string(escaped, value);
            text(escaped);
            return;
        }
        *at_++ = '"';
        text(value);
        *at_++ = '"';
    }

    void number(std::uint64_t value) {
        constexpr std::ptrdiff_t digits_max = 20;
        at_ = std::to_chars(at_, at_ + digits_max, value).ptr;
    }

    /// With leading zeros, so many digits.
    void padded(std::uint64_t value, std::size_t width) {
        for (std::size_t i = width; i > 0; --i, value /= 10) {
            at_[i - 1] = static_cast<char>('0' + value % 10);
        }
        at_ += width;
    }

    /// Milliseconds with three decimals; what is negative counts as 0.
    void milliseconds(std::chrono::microseconds duration) {
        const auto us = static_cast<std::uint64_t>(std::max(duration.count(), std::int64_t{0}));
        number(us / 1'000);
        *at_++ = '.';
        padded(us % 1'000, 3);
    }

    /// Lower-case hexadecimal.
    void hex(std::span<const std::uint8_t> bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        for (const std::uint8_t byte : bytes) {
            *at_++ = digits[byte >> 4U];
            *at_++ = digits[byte & 0x0fU];
        }
    }

    char* end() const {
        return at_;
    }

private:
    char* at_;
};

} // namespace relais::gateway
