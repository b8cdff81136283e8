#pragma once

#include "gateway/proxy/byte_buffer.hpp"
#include "http/deadlines.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace relais::gateway {

/// A connection with its read buffer, whose operations end at a deadline. Movable; used on the
/// loop's thread by one coroutine at a time. Errors: `timeout` / "stream-timeout", `unavailable` /
/// "stream-closed" (also an orderly end).
class stream {
public:
    using time_point = std::chrono::steady_clock::time_point;

    stream(boost::asio::ip::tcp::socket socket, http::deadline_watch& deadlines);
    stream(stream&&) noexcept;
    stream& operator=(stream&&) noexcept;
    ~stream();

    byte_buffer& received();

    /// Reads more into the buffer, which must have room.
    boost::asio::awaitable<result<void>> read_more(time_point until);
    boost::asio::awaitable<result<void>> write(std::string_view bytes, time_point until);
    /// Two or three pieces in one system call.
    boost::asio::awaitable<result<void>> write(std::string_view first, std::string_view second,
                                               std::string_view third, time_point until);

    /// Whether an idle connection is still open and silent, without blocking.
    bool is_quiet();

    /// Says that nothing more comes, reads and forgets what is still under way (at most so many
    /// bytes, so long), so that the peer reads the answer instead of a reset.
    boost::asio::awaitable<void> linger(std::size_t bytes_max, std::chrono::milliseconds at_most);

    /// Ends a read that waits; one that has completed already still brings its bytes.
    void cancel();
    void close();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Connects to one address. Errors as above, with slug "connect-timeout" or "connect-failed".
boost::asio::awaitable<result<stream>> connect(http::deadline_watch& deadlines,
                                               boost::asio::io_context& loop,
                                               boost::asio::ip::tcp::endpoint where,
                                               std::chrono::milliseconds at_most);

} // namespace relais::gateway
