#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// What HTTP/2 clients do that is counted: most of it ends a stream or a connection.
enum class h2_event : std::uint8_t {
    malformed_request,   ///< stream reset (RFC 9113 §8.1.1)
    head_too_large,      ///< answered 431
    rapid_reset,         ///< more resets, sent or provoked, than clients need (CVE-2023-44487)
    reset_before_served, ///< a request that was taken back in the same breath
    continuation_flood,  ///< a header block in too many frames, or too long
    header_bomb,         ///< a header block that grows far beyond the limit when it is unpacked
    settings_flood,
    ping_flood,
    empty_data_flood,
    window_update_flood,
    other_frame_flood, ///< PRIORITY, GOAWAY, frames of unknown types
    answer_flood,      ///< makes us answer, and does not read it
    slow_reader,       ///< opened no window for an answer in time
    write_timeout,     ///< took no bytes of the connection in time
    settings_timeout,  ///< no preface, or our SETTINGS not acknowledged, in time
    head_timeout,      ///< a header block not whole in time
    idle_timeout,
    protocol_error, ///< of the connection
    closed_stream,  ///< a frame on a stream that its client had ended
    not_http2,      ///< no connection preface
};

inline constexpr std::array<std::string_view, 20> h2_event_names{
    "malformed_request",  "head_too_large",      "rapid_reset",       "reset_before_served",
    "continuation_flood", "header_bomb",         "settings_flood",    "ping_flood",
    "empty_data_flood",   "window_update_flood", "other_frame_flood", "answer_flood",
    "slow_reader",        "write_timeout",       "settings_timeout",  "head_timeout",
    "idle_timeout",       "protocol_error",      "closed_stream",     "not_http2",
};

static_assert(h2_event_names.size() == static_cast<std::size_t>(h2_event::not_http2) + 1);

/// As a word for labels and logs.
inline std::string_view name_of(h2_event what) {
    return h2_event_names[static_cast<std::size_t>(what)];
}

} // namespace relais::gateway
