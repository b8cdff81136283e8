#include "gateway/client/h2_guard.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

// A list of 16 KiB fits two frames; nobody cuts it into more than eight.
constexpr unsigned continuations_max = 8;
constexpr std::uint32_t block_bytes_max = 32 * 1024;

} // namespace

bool h2_guard::budget::take(time_point now) {
    full_at_ = std::max(full_at_, now) + emission_;
    return full_at_ - now <= capacity_;
}

std::optional<h2_event> h2_guard::on_frame(const h2_frame& frame, time_point now) {
    switch (streams_.on_frame(frame)) {
    case h2_stream_history::finding::ended:
        return h2_event::closed_stream;
    case h2_stream_history::finding::unused:
        return h2_event::protocol_error;
    case h2_stream_history::finding::fine:
        break;
    }
    const auto charged = [now](budget& from, h2_event what) {
        return from.take(now) ? std::nullopt : std::optional(what);
    };
    if (frame.type > static_cast<std::uint8_t>(h2_frame_type::continuation)) {
        return charged(others_, h2_event::other_frame_flood);
    }
    switch (static_cast<h2_frame_type>(frame.type)) {
    case h2_frame_type::data:
        return frame.is_empty_data ? charged(empty_data_, h2_event::empty_data_flood)
                                   : std::nullopt;
    case h2_frame_type::headers:
        continuations_ = 0;
        block_bytes_ = 0;
        return on_block(frame);
    case h2_frame_type::continuation:
        ++continuations_;
        return on_block(frame);
    case h2_frame_type::rst_stream:
        return charged(resets_, h2_event::rapid_reset);
    case h2_frame_type::settings:
        return charged(settings_, h2_event::settings_flood);
    case h2_frame_type::ping:
        return charged(pings_, h2_event::ping_flood);
    case h2_frame_type::window_update:
        return charged(window_updates_, h2_event::window_update_flood);
    case h2_frame_type::priority:
        return on_priority(frame, now);
    case h2_frame_type::push_promise:
    case h2_frame_type::goaway:
        break;
    }
    return charged(others_, h2_event::other_frame_flood);
}

/// The frame means nothing any more, but may not stand everywhere (RFC 9113 §6.3, RFC 7540 §5.3.1).
std::optional<h2_event> h2_guard::on_priority(const h2_frame& frame, time_point now) {
    if (frame.stream == 0 || frame.depends_on == frame.stream) {
        return h2_event::protocol_error;
    }
    return others_.take(now) ? std::nullopt : std::optional(h2_event::other_frame_flood);
}

std::optional<h2_event> h2_guard::on_block(const h2_frame& frame) {
    inside_block_ = (frame.flags & h2_frame::end_headers) == 0;
    block_bytes_ += frame.length;
    if (continuations_ > continuations_max || block_bytes_ > block_bytes_max) {
        return h2_event::continuation_flood;
    }
    return std::nullopt;
}

std::optional<h2_event> h2_guard::on_reset_provoked(time_point now) {
    return resets_.take(now) ? std::nullopt : std::optional(h2_event::rapid_reset);
}

void h2_guard::on_data_sent() {
    window_updates_.give_back(2); // the stream's and the connection's
}

} // namespace relais::gateway
