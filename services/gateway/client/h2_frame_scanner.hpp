#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relais::gateway {

enum class h2_frame_type : std::uint8_t {
    data,
    headers,
    priority,
    rst_stream,
    settings,
    push_promise,
    ping,
    goaway,
    window_update,
    continuation,
};

/// The head of a frame (RFC 9113 §4.1).
struct h2_frame {
    std::uint32_t length = 0;
    std::uint8_t type = 0; ///< of h2_frame_type, or unknown
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    bool is_empty_data = false;   ///< DATA that brings and ends nothing, padding or not
    std::uint32_t depends_on = 0; ///< of PRIORITY

    bool is(h2_frame_type which) const {
        return type == static_cast<std::uint8_t>(which);
    }

    static constexpr std::uint8_t end_stream = 0x1;
    static constexpr std::uint8_t end_headers = 0x4;
    static constexpr std::uint8_t padded = 0x8;
};

/// Finds the frames in what a client sends, whatever they hold. The library that reads them tells
/// of those it takes seriously only; who counts frames has to see those of closed streams and of
/// unknown types, too.
class h2_frame_scanner {
public:
    /// Takes bytes off the input up to the end of the next frame's head. Nothing: the input is used
    /// up.
    std::optional<h2_frame> next(std::string_view& input);

    /// Whether a header block's piece is still on its way.
    bool inside_header_payload() const {
        return left_ > 0 && in_headers_;
    }

private:
    static constexpr std::size_t preface_bytes = 24;
    static constexpr std::size_t head_bytes = 9;

    std::size_t wanted() const;
    h2_frame take();

    std::size_t left_ = preface_bytes; ///< to skip
    /// The head, and what else is looked at: of padded DATA the length of the padding, of PRIORITY
    /// the stream it depends on.
    std::array<std::uint8_t, head_bytes + 4> head_{};
    std::size_t have_ = 0;
    bool in_headers_ = false; ///< the last frame
};

} // namespace relais::gateway
