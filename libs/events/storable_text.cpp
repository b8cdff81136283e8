#include "events/storable_text.hpp"

#include <cstdint>
#include <cstring>

namespace relais::events {
namespace {

/// How many bytes, in eights, are ASCII without NUL: nearly all of what there is.
std::size_t plain_size(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    std::size_t i = 0;
    for (; i + sizeof ones <= text.size(); i += sizeof ones) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + i, sizeof eight);
        // A byte of 0 borrows from the next one, or is above 0x80 already.
        if ((((eight - ones) | eight) & (ones << 7U)) != 0) {
            break;
        }
    }
    return i;
}

} // namespace

bool is_storable_text(std::string_view text) {
    std::size_t i = plain_size(text);
    while (i < text.size()) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (first == 0 || (first >= 0x80 && first < 0xC2) || first > 0xF4 ||
            i + length > text.size()) {
            return false;
        }
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) {
                return false;
            }
        }
        if (length > 2) {
            // No overlong forms, surrogates, or code points past U+10FFFF (RFC 3629 §4).
            const auto second = static_cast<unsigned char>(text[i + 1]);
            if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
                return false;
            }
        }
        i += length;
    }
    return true;
}

} // namespace relais::events
