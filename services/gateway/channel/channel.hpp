#pragma once

#include "gateway/tls/tls_session.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace relais::gateway {

class edge_loop;

/// One TCP connection of an event loop, plain or through TLS, by callbacks: reading waits for
/// bytes, writing tries at once and waits only when the socket is full. Its users need not know
/// which it is: an orderly end is FIN, or close_notify through TLS. Used on the loop's thread.
/// After close() or destruction nothing is called any more.
class channel {
public:
    /// Told what happens. May destroy the channel in any of these.
    class user {
    public:
        virtual void on_bytes(std::size_t count) = 0; ///< in the room given to read()
        virtual void on_end(bool orderly) = 0;        ///< nothing more comes
        virtual void on_room() = 0;                   ///< after a write() that took less
        /// After connect() or secure(); with TLS after its handshake.
        virtual void on_connected(const boost::system::error_code& failed) = 0;

    protected:
        ~user() = default;
    };

    channel(edge_loop& loop, user& whose);
    /// A connection that is open; closes it in the end.
    channel(edge_loop& loop, int descriptor, user& whose);
    /// Takes an open one over from another user, who has no read under way and is told nothing any
    /// more.
    channel(channel&& other, user& whose);
    ~channel();
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// Makes the TLS session for a connected socket.
    using make_session = std::function<tls_session(int descriptor)>;

    /// `security`: the connection is of use only after its handshake; nullptr: plain.
    void connect(const boost::asio::ip::tcp::endpoint& where, make_session security = nullptr);

    /// Of a connection that was accepted, of which nothing that belongs to TLS was read. Never
    /// calls back at once.
    void secure(const make_session& security);
    /// nullptr: plain.
    const tls_session* session() const;
    /// What the handshake came to; meaningful once on_connected() came with an error.
    tls_outcome handshake() const;
    /// After a handshake that failed with `plain_http`: the connection is a plain one again.
    void give_up_security();

    /// Waits for bytes in this room, which stays where it is until then; one at a time.
    void read(std::span<char> room);
    bool reading() const;

    /// Of a plain connection: waits until there is something to read, and leaves it there:
    /// on_bytes(0).
    void await_bytes();
    /// Of a plain connection: what is there now, and perhaps stays there. 0: nothing yet; -1: it
    /// ended.
    long receive(std::span<char> into, bool leave);

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
    /// In order, unless something is under way.
    void close();
    /// The other side may know that something is missing.
    void cut();
    bool is_open() const;

private:
    static constexpr std::size_t pieces_max = 4;

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::gateway
