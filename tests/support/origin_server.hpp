#pragma once

#include "http/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace relais::test {

/// A service as the gateway sees it, on a free port and a thread of its own: tells what it
/// received, takes and gives large bodies, knows one token, and is ready or not as the test wants.
///   ANY  /v1/echo    the request's fields, one a line, and the body's size and SHA-256
///   GET  /v1/bytes?size=N   that many bytes
///   GET  /v1/hold    answers when release() is called
class origin_server {
public:
    /// "good" is a valid token of this account and session.
    static constexpr const char* account = "0190163d-8694-739b-aea5-966c26f8ad91";
    static constexpr const char* session = "0190163d-8694-739b-aea5-966c26f8ad92";

    origin_server();
    ~origin_server();
    origin_server(const origin_server&) = delete;
    origin_server& operator=(const origin_server&) = delete;

    std::uint16_t port() const;
    std::string url() const;

    void set_ready(bool ready) {
        ready_ = ready;
    }

    void release();

    int requests() const {
        return requests_;
    }

    int introspections() const {
        return introspections_;
    }

    int held() const {
        return held_;
    }

private:
    using answer = boost::asio::awaitable<result<http::response>>;

    answer echo(const http::request& request);
    answer bytes(const http::request& request);
    answer hold(const http::request& request);
    answer introspect(const http::request& request);
    answer readyz(const http::request& request);
    std::vector<http::route> routes();

    boost::asio::io_context loop_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        loop_.get_executor()};
    metrics::registry metrics_;
    boost::asio::steady_timer gate_{loop_, boost::asio::steady_timer::time_point::max()};
    std::atomic<bool> ready_{true};
    std::atomic<int> requests_{0};
    std::atomic<int> introspections_{0};
    std::atomic<int> held_{0};
    std::unique_ptr<http::server> server_;
    std::thread thread_;
};

} // namespace relais::test
