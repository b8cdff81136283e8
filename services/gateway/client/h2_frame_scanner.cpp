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

/// Of padded DATA the length of the padding, too.
bool h2_frame_scanner::has_whole_head() const {
    const bool has_padding = head_[3] == static_cast<std::uint8_t>(h2_frame_type::data) &&
                             (head_[4] & h2_frame::padded) != 0 && big_endian(head_.data(), 3) > 0;
    return have_ == (has_padding ? head_bytes + 1 : head_bytes);
}

h2_frame h2_frame_scanner::take() {
    h2_frame out;
    out.length = big_endian(head_.data(), 3);
    out.type = head_[3];
    out.flags = head_[4];
    out.stream = big_endian(&head_[5], 4) & 0x7fffffffU;
    left_ = out.length;
    std::size_t overhead = 0;
    if (have_ > head_bytes) {
        --left_;
        overhead = std::size_t{1} + head_[head_bytes];
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
        if (have_ >= head_bytes && has_whole_head()) {
            return take();
        }
    }
    return std::nullopt;
}

} // namespace relais::gateway
