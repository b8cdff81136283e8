#include "gateway/client/h2_stream_history.hpp"

namespace relais::gateway {

h2_stream_history::finding h2_stream_history::on_frame(const h2_frame& frame) {
    const bool is_headers = frame.is(h2_frame_type::headers);
    const bool resets = frame.is(h2_frame_type::rst_stream);
    if (!is_headers && !resets && !frame.is(h2_frame_type::data)) {
        return finding::fine;
    }
    if (is_headers && frame.stream > last_) {
        const auto further = (frame.stream - last_ + 1) / 2;
        used_ = further < kept ? used_ << further : 0;
        ended_ = further < kept ? ended_ << further : 0;
        used_ |= 1;
        last_ = frame.stream;
    }
    const auto back = (last_ - frame.stream) / 2;
    if (frame.stream == 0 || frame.stream > last_ || back >= kept) {
        return finding::fine; // the library's business, or too long ago
    }
    const auto bit = std::uint64_t{1} << back;
    if (is_headers && (used_ & bit) == 0) {
        return finding::unused;
    }
    if (!resets && (ended_ & bit) != 0) {
        return finding::ended;
    }
    if (resets || (frame.flags & h2_frame::end_stream) != 0) {
        ended_ |= bit;
    }
    return finding::fine;
}

} // namespace relais::gateway
