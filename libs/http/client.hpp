#pragma once

#include "http/message.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace relais::http {

struct client_settings {
    std::string base_url; ///< http://host:port or https://…
    std::string name;     ///< metric label
    std::size_t connections_max = 16;
    std::size_t body_max = std::size_t{16} * 1024 * 1024;
    std::chrono::milliseconds connect_timeout{1'000};
    std::chrono::milliseconds idle_timeout{30'000}; ///< shorter than the server's
};

/// An HTTP/1.1 client for services of ours and the object store: pooled connections, bounded
/// bodies, strict about the answer's framing. Sends again by itself only when a reused connection
/// broke before any byte of the answer and the method is idempotent. (Providers are called through
/// libs/rest.)
class client {
public:
    struct call {
        std::string method = "GET";
        std::string target = "/"; ///< path and query, encoded
        http::fields headers;
        std::string body;
        std::chrono::milliseconds timeout{5'000};
    };

    client(client_settings settings, boost::asio::io_context& loop, metrics::registry& metrics);
    ~client();

    /// Errors: `unavailable` / "<name>-unreachable", `timeout` / "<name>-timeout",
    /// `internal` / "<name>-bad-answer", `too_large` / "<name>-answer-too-large".
    /// Any status is an answer, not an error.
    boost::asio::awaitable<result<response>> send(call what);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::http
