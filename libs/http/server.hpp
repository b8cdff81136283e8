#pragma once

#include "async/task_group.hpp"
#include "config/reader.hpp"
#include "http/identity.hpp"
#include "http/router.hpp"
#include "http/socket_shelf.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

namespace relais::http {

struct server_settings {
    config::endpoint listen; ///< port 0: any free one, see port()
    std::size_t header_max_bytes = std::size_t{16} * 1024;
    std::size_t header_max_count = 100;
    std::size_t connections_max = 4096;
    std::chrono::milliseconds header_timeout{10'000}; ///< for the whole head
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds idle_timeout{95'000}; ///< longer than the gateway keeps its own pool
    socket_shelf* sockets = nullptr;                ///< see listener
};

/// An HTTP/1.1 server for a service's routes: strict gate, Beast, router, identity, problem
/// documents, request log, RED metrics by route template (http_server_*). Runs on the loop's
/// thread.
class server {
public:
    /// `verify` may be nullptr when no route needs an identity (admin listeners).
    server(server_settings settings, std::vector<route> routes, const identity_verifier* verify,
           boost::asio::io_context& loop, metrics::registry& metrics, const log::logger& logger);
    ~server();

    /// Binds. Error: `unavailable` / "listen-failed" naming address and port.
    result<void> start();
    std::uint16_t port() const;

    /// From now on answers carry `Connection: close` (drain began).
    void announce_drain();

    /// Closes the listener; waits until the requests in progress are answered, then closes the
    /// rest.
    boost::asio::awaitable<void> stop(std::chrono::milliseconds at_most);

    std::size_t active_requests() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::http
