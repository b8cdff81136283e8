#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// A text of at most so many bytes that lives where it stands: no allocation, trivially copyable.
template <std::size_t Capacity>
class fixed_text {
    static_assert(Capacity < 256);

public:
    fixed_text() = default;

    /// Keeps the beginning of a text that is too long, and never a part of a UTF-8 sequence. Bytes
    /// that are no UTF-8 are kept as they are: whoever writes them out replaces them.
    void assign(std::string_view text) noexcept {
        size_ = static_cast<std::uint8_t>(text.copy(bytes_.data(), length_kept(text, Capacity)));
    }

    /// The same, but a text that is too long ends with "…", so that whoever reads it knows.
    void assign_marked(std::string_view text) noexcept {
        constexpr std::string_view mark = "…";
        static_assert(Capacity > mark.size());
        if (text.size() <= Capacity) {
            assign(text);
            return;
        }
        const auto kept = text.copy(bytes_.data(), length_kept(text, Capacity - mark.size()));
        const auto marked = kept + mark.copy(bytes_.data() + kept, mark.size());
        size_ = static_cast<std::uint8_t>(marked);
    }

    std::string_view view() const noexcept {
        return {bytes_.data(), size_};
    }

    bool empty() const noexcept {
        return size_ == 0;
    }

private:
    static std::size_t length_kept(std::string_view text, std::size_t at_most) noexcept {
        if (text.size() <= at_most) {
            return text.size();
        }
        const auto continues = [&](std::size_t at) {
            return (static_cast<std::uint8_t>(text[at]) & 0xc0U) == 0x80U;
        };
        constexpr std::size_t sequence_max = 4;
        std::size_t length = at_most;
        while (length > 0 && at_most - length < sequence_max - 1 && continues(length)) {
            --length;
        }
        return continues(length) ? at_most : length; // no UTF-8: there is nothing to keep whole
    }

    std::uint8_t size_ = 0;
    std::array<char, Capacity> bytes_{};
};

} // namespace relais::gateway
