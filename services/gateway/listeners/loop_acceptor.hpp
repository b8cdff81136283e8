#pragma once

#include "gateway/loop/edge_loop.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace relais::gateway {

/// Accepts a listener's connections on a loop's own thread: none waits for another thread. Every
/// loop watches the same socket through a descriptor of its own, and the kernel wakes one that
/// sleeps. Errors of accepting (no descriptors left, a peer that went away) are told and survived;
/// while there is no room, connections wait in the kernel's queue.
class loop_acceptor {
public:
    class owner {
    public:
        /// For one connection more, which is taken with it.
        virtual bool take_room() = 0;
        virtual void give_room_back() = 0;
        /// Non-blocking, with TCP_NODELAY.
        virtual void on_accepted(std::size_t listener, int descriptor,
                                 const boost::asio::ip::tcp::endpoint& peer) = 0;
        virtual void on_accept_failed(int error) = 0;

    protected:
        ~owner() = default;
    };

    /// Closes the descriptor in the end.
    loop_acceptor(edge_loop& loop, owner& whose, std::size_t listener, int descriptor);
    ~loop_acceptor();
    loop_acceptor(const loop_acceptor&) = delete;
    loop_acceptor& operator=(const loop_acceptor&) = delete;

    std::size_t listener() const {
        return listener_;
    }

    /// There may be room again.
    void on_room();

private:
    void on_readable();

    void on_writable() {}

    void on_pause_over();
    enum class outcome { taken, none_waits, failed };
    outcome accept_one();

    owner& owner_;
    std::size_t listener_;
    int descriptor_;
    reactor::watch watch_;
    timer_wheel::entry pause_;
};

} // namespace relais::gateway
