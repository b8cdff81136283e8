#pragma once

#include "gateway/proxy/stream.hpp"
#include "http/gate.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// How slow a sender may be: the longest silence, and (0: any) the least average speed, so that a
/// body that drips byte by byte does not hold a connection for days.
struct pace {
    std::chrono::milliseconds silence_max{30'000};
    std::uint64_t bytes_per_second_min = 0;
};

/// Takes a message's body off a stream, piece by piece, whatever its framing. A piece is valid
/// until the next call; nothing is copied.
class body_source {
public:
    body_source(stream& from, http::framing framing, std::uint64_t bytes, pace allowed);

    /// The next piece; empty: the body ended. Errors: those of the stream, `invalid` /
    /// "malformed-request" for bad chunks, `too_large` / "body-too-large" beyond bytes_max.
    boost::asio::awaitable<result<std::string_view>> next(std::uint64_t bytes_max);

    bool finished() const {
        return finished_;
    }

    std::uint64_t bytes_seen() const {
        return seen_;
    }

private:
    boost::asio::awaitable<result<void>> need_input();
    boost::asio::awaitable<result<std::string_view>> next_chunk();
    stream::time_point patience() const;

    stream& from_;
    http::framing framing_;
    std::uint64_t left_;
    pace allowed_;
    stream::time_point began_ = std::chrono::steady_clock::now();
    http::chunked_decoder decoder_;
    std::size_t to_use_up_ = 0; ///< of the buffer, with the piece given out last
    std::uint64_t seen_ = 0;
    bool finished_ = false;
};

/// Puts a body's pieces on a stream in the framing its head announced.
class body_sink {
public:
    body_sink(stream& to, http::framing framing) : to_(to), framing_(framing) {}

    boost::asio::awaitable<result<void>> write(std::string_view piece,
                                               std::chrono::milliseconds idle_max);
    boost::asio::awaitable<result<void>> finish(std::chrono::milliseconds idle_max);

private:
    stream& to_;
    http::framing framing_;
};

} // namespace relais::gateway
