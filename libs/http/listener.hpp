#pragma once

#include "async/signal.hpp"
#include "config/reader.hpp"
#include "http/listening_socket.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>

namespace relais::http {

/// Accepts TCP connections. Errors of accepting (no file descriptors left, a peer that went away)
/// are counted and survived; while there is no room, connections wait in the kernel's queue.
class listener {
public:
    /// `sockets`: where an open socket for an address may be, and is noted; nullptr: nowhere.
    /// Outlives this.
    listener(boost::asio::io_context& loop, metrics::registry& metrics, log::logger logger,
             socket_shelf* sockets = nullptr);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Binds, or takes the socket from the shelf; once is enough. Error: `unavailable` /
    /// "listen-failed" naming address and port.
    result<void> open(const config::endpoint& where);

    /// The port that was bound; 0 before open().
    std::uint16_t port() const {
        return socket_.local().port();
    }

    /// Until close(). on_connection gets each socket (TCP_NODELAY set); has_room is asked before
    /// each accept, notify_room() says that it may have changed.
    boost::asio::awaitable<void>
    run(std::function<bool()> has_room,
        std::function<void(boost::asio::ip::tcp::socket)> on_connection);

    void notify_room();

    /// No more connections; run() ends. Those that the kernel has accepted already are still handed
    /// over: closing the socket would reset them. (Another process that has the socket, too,
    /// accepts them then.)
    void close();

private:
    void empty_queue();
    void let_go();
    boost::asio::awaitable<bool> accept_one();
    void count_error(const std::string& what);
    void hand_over(boost::asio::ip::tcp::socket socket);

    listening_socket socket_;
    boost::asio::ip::tcp::acceptor acceptor_; ///< of that socket
    async::signal wake_;
    log::logger logger_;
    metrics::counter errors_;
    std::function<void(boost::asio::ip::tcp::socket)> on_connection_;
    bool closed_ = false;
};

} // namespace relais::http
