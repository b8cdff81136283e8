#pragma once

#include "config/reader.hpp"
#include "http/socket_shelf.hpp"
#include "result/result.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace relais::http {

/// A TCP socket that listens, non-blocking, whose connections have TCP_NODELAY. Whoever accepts
/// waits for it as he likes. Closes it in the end.
class listening_socket {
public:
    /// `sockets`: where an open socket for an address may be, and is noted; nullptr: nowhere.
    /// Outlives this.
    explicit listening_socket(socket_shelf* sockets = nullptr) : sockets_(sockets) {}

    ~listening_socket() {
        close();
    }

    listening_socket(const listening_socket&) = delete;
    listening_socket& operator=(const listening_socket&) = delete;

    /// Binds, or takes the socket from the shelf; once is enough. Error: `unavailable` /
    /// "listen-failed" naming address and port.
    result<void> open(const config::endpoint& where);

    bool is_open() const {
        return descriptor_ >= 0;
    }

    int descriptor() const {
        return descriptor_;
    }

    /// Where it is bound; port 0 before open().
    const boost::asio::ip::tcp::endpoint& local() const {
        return local_;
    }

    /// Whether another process has it, too, and accepts: what the kernel has accepted already is
    /// not lost then when this one is closed.
    bool given_away() const {
        return sockets_ != nullptr && sockets_->given_away();
    }

    /// Whoever connects from now on gets no answer: he asks again after a second, and finds it
    /// closed by then. Who was answered may finish, and can be accepted. For all processes that
    /// have the socket.
    void stop_new();

    /// Connections that nobody has accepted are reset, unless another process has it, too.
    void close();

private:
    socket_shelf* sockets_;
    int descriptor_ = -1;
    boost::asio::ip::tcp::endpoint local_;
};

/// The next connection that waits at a listening socket: its descriptor, non-blocking. -1: see
/// errno; EAGAIN: none waits.
int accept_from(int listening, boost::asio::ip::tcp::endpoint& peer);

} // namespace relais::http
