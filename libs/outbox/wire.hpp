#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relais::outbox {

/// Reads big-endian numbers, C strings and byte runs off a message. Reading past the end gives
/// zeros and clears ok(): check once, at the end of a message.
class wire_reader {
public:
    explicit wire_reader(std::string_view bytes) : rest_(bytes) {}

    std::uint8_t byte() {
        return static_cast<std::uint8_t>(number(1));
    }

    std::uint16_t int16() {
        return static_cast<std::uint16_t>(number(2));
    }

    std::uint32_t int32() {
        return static_cast<std::uint32_t>(number(4));
    }

    std::uint64_t int64() {
        return number(8);
    }

    /// Up to the next zero byte, which is skipped.
    std::string_view c_string() {
        const auto end = rest_.find('\0');
        if (end == std::string_view::npos) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    std::string_view run(std::size_t size) {
        if (size > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const auto bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return bytes;
    }

    std::string_view rest() const {
        return rest_;
    }

    bool ok() const {
        return ok_;
    }

private:
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const char c : run(size)) {
            value = value << 8U | static_cast<unsigned char>(c);
        }
        return value;
    }

    std::string_view rest_;
    bool ok_ = true;
};

/// Appends big-endian numbers.
class wire_writer {
public:
    void byte(std::uint8_t value) {
        number(value, 1);
    }

    void int64(std::uint64_t value) {
        number(value, 8);
    }

    const std::string& bytes() const {
        return bytes_;
    }

private:
    void number(std::uint64_t value, int size) {
        for (int i = size - 1; i >= 0; --i) {
            bytes_.push_back(static_cast<char>(value >> (8U * static_cast<unsigned>(i))));
        }
    }

    std::string bytes_;
};

} // namespace relais::outbox
