#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <span>
#include <string_view>

namespace relais::gateway {

/// One TCP connection of an event loop, by callbacks: reading waits for bytes, writing tries at
/// once and waits only when the socket is full. Used on the loop's thread. After close() or
/// destruction nothing is called any more.
class channel {
public:
    /// Told what happens. May destroy the channel in any of these.
    class user {
    public:
        virtual void on_bytes(std::size_t count) = 0; ///< in the room given to read()
        virtual void on_end(bool orderly) = 0;        ///< nothing more comes; orderly: FIN
        virtual void on_room() = 0;                   ///< after a write() that took less
        virtual void on_connected(const boost::system::error_code& failed) = 0;

    protected:
        ~user() = default;
    };

    channel(boost::asio::io_context& loop, user& whose);
    channel(boost::asio::ip::tcp::socket socket, user& whose);
    /// Takes an open one over from another user, who has no read under way and is told nothing any
    /// more.
    channel(channel&& other, user& whose);
    ~channel();
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    void connect(const boost::asio::ip::tcp::endpoint& where);

    /// Waits for bytes in this room, which stays where it is until then; one at a time.
    void read(std::span<char> room);
    bool reading() const;

    struct written {
        std::size_t count = 0;
        bool broken = false; ///< the connection is gone
    };

    /// Up to four pieces in one system call, as far as the socket takes them. When it took less,
    /// on_room() follows.
    written write(std::span<const std::string_view> pieces);

    /// Whether an idle connection is open and silent, asked of the kernel.
    bool is_quiet() const;

    /// A read that waits ends as if the connection had; one that has completed still brings its
    /// bytes.
    void cancel_read();
    void shut_down_writing();
    void close();
    bool is_open() const;

private:
    struct state;
    state* state_; // outlives this while the kernel may still complete something
};

} // namespace relais::gateway
