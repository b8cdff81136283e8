#pragma once

#include "gateway/loop/read_buffer.hpp"
#include "http/body_decoder.hpp"

namespace relais::gateway {

/// Takes a message's body out of a connection's buffer: each time all of it that is there. Chunks
/// are put together in place, so that a body in tiny chunks does not go on in tiny pieces.
class body_reader {
public:
    body_reader() = default;

    body_reader(http::framing kind, std::uint64_t bytes)
        : decoder_(kind, bytes), kind_(kind), left_(bytes) {}

    struct piece {
        std::string_view data; ///< in the buffer's used bytes: until these are moved
        bool finished = false; ///< the body ended with it
    };

    /// Error: `invalid` / "malformed-request".
    result<piece> take(read_buffer& from);

    bool finished() const {
        return decoder_.finished();
    }

    bool ends_with_connection() const {
        return decoder_.ends_with_connection();
    }

    std::uint64_t bytes_seen() const {
        return seen_;
    }

    /// Whether so much is still to come that a large buffer pays.
    bool is_long() const {
        constexpr std::uint64_t long_bytes = std::uint64_t{16} * 1024;
        return kind_ == http::framing::content_length ? left_ > long_bytes : seen_ > long_bytes;
    }

private:
    http::body_decoder decoder_;
    http::framing kind_ = http::framing::none;
    std::uint64_t left_ = 0;
    std::uint64_t seen_ = 0;
};

} // namespace relais::gateway
