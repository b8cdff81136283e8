#include "gateway/client/h2_frame_scanner.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::uint32_t big_endian(const std::uint8_t* bytes, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        value = value << 8U | bytes[i];
    }
    return value;
}

} // namespace

/// How many bytes of it, once the head is there.
std::size_t h2_frame_scanner::wanted() const {
    const auto length = big_endian(head_.data(), 3);
    if (head_[3] == static_cast<std::uint8_t>(h2_frame_type::priority) && length >= 4) {
        return head_bytes + 4;
    }
    const bool has_padding = head_[3] == static_cast<std::uint8_t>(h2_frame_type::data) &&
                             (head_[4] & h2_frame::padded) != 0 && length > 0;
    return head_bytes + (has_padding ? 1 : 0);
}

h2_frame h2_frame_scanner::take() {
    h2_frame out;
    out.length = big_endian(head_.data(), 3);
    out.type = head_[3];
    out.flags = head_[4];
    out.stream = big_endian(&head_[5], 4) & 0x7fffffffU;
    left_ = out.length - (have_ - head_bytes);
    std::size_t overhead = 0;
    if (have_ == head_bytes + 1) {
        overhead = std::size_t{1} + head_[head_bytes];
    } else if (have_ > head_bytes) {
        out.depends_on = big_endian(&head_[head_bytes], 4) & 0x7fffffffU;
    }
    out.is_empty_data = out.is(h2_frame_type::data) && out.length <= overhead &&
                        (out.flags & h2_frame::end_stream) == 0;
    have_ = 0;
    in_headers_ = out.is(h2_frame_type::headers) || out.is(h2_frame_type::continuation);
    return out;
}

std::optional<h2_frame> h2_frame_scanner::next(std::string_view& input) {
    while (!input.empty()) {
        if (left_ > 0) {
            const auto skipped = std::min(left_, input.size());
            input.remove_prefix(skipped);
            left_ -= skipped;
            continue;
        }
        head_[have_++] = static_cast<std::uint8_t>(input.front());
        input.remove_prefix(1);
        if (have_ >= head_bytes && have_ == wanted()) {
            return take();
        }
    }
    return std::nullopt;
}

} // namespace relais::gateway
