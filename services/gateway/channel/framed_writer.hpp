#pragma once

#include "gateway/channel/channel.hpp"
#include "gateway/client/client_side.hpp"

#include <string>
#include <string_view>

namespace relais::gateway {

/// Puts one message after the other on a channel: what is rendered goes out together with the first
/// piece of the body, in one system call. Pieces are lent, not copied; but for small ones behind a
/// text, because one piece costs the kernel less than two.
class framed_writer {
public:
    /// Rendered text before the next piece: heads. Only while nothing is under way.
    std::string& text() {
        return text_;
    }

    /// Sends text and piece; with chunked framing around it. `last` ends the body.
    sent send(channel& to, std::string_view piece, bool last, bool chunked);

    /// Goes on with what is under way.
    sent flush(channel& to);

    bool empty() const {
        return text_.empty() && piece_.empty() && end_.empty();
    }

    /// Forgets everything, and gives memory back that an idle connection does not need.
    void reset();

private:
    std::string text_;
    std::string_view piece_;
    std::string_view end_;
    std::size_t text_done_ = 0;
};

} // namespace relais::gateway
