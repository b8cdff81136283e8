#pragma once

#include "http/socket_shelf.hpp"
#include "log/logger.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace relais::host {

/// How a process gets the listening sockets of the one that it replaces, so that a restart refuses
/// nobody. Over a Unix socket (SOCK_SEQPACKET, mode 0600, both of the same user):
///
///   new: "take"   old: the names, with the descriptors   (both have them, the old one accepts)
///   new: "go"     old: "gone"                            (the new one accepts, the old one drains)
///
/// Before "go" nothing has changed: when the new process ends, the old one goes on. A descriptor
/// that both have is one queue of connections, so none is lost between them.
class takeover_request {
public:
    /// Asks whoever listens at the path and puts the sockets on the shelf; nullopt: nobody does.
    /// Blocks for at most three seconds. Error: `unavailable` / "takeover-refused".
    static result<std::optional<takeover_request>> begin(const std::string& path,
                                                         http::socket_shelf& into);

    takeover_request(takeover_request&& other) noexcept;
    takeover_request& operator=(takeover_request&& other) noexcept;
    ~takeover_request();

    /// This one accepts now, the other shall leave. Blocks for at most three seconds. Error:
    /// `unavailable` / "takeover-failed": the other one goes on.
    result<void> finish();

    std::size_t sockets() const {
        return sockets_;
    }

private:
    takeover_request(int descriptor, std::size_t sockets);

    int descriptor_;
    std::size_t sockets_;
};

/// The other side: gives what is open on the shelf to a process of the same user that asks.
class takeover_server {
public:
    /// `on_taken`: the other process accepts, this one has to leave. Called on the loop, once.
    takeover_server(boost::asio::io_context& loop, http::socket_shelf& sockets, log::logger logger,
                    std::function<void()> on_taken);

    /// Takes the place of whatever is at the path. Error: `unavailable` / "takeover-socket".
    result<void> open(const std::string& path);

    /// Until somebody has taken over, or cancelled.
    boost::asio::awaitable<void> run();

    void close();

private:
    boost::asio::awaitable<bool> serve(int connection);
    bool give(int connection);

    boost::asio::io_context& loop_;
    http::socket_shelf& sockets_;
    log::logger logger_;
    std::function<void()> on_taken_;
    boost::asio::posix::stream_descriptor listening_;
};

} // namespace relais::host
