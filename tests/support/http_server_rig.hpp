#pragma once

#include "http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace relais::test {

namespace asio = boost::asio;
using answer = asio::awaitable<result<http::response>>;

inline answer echo(const http::request& request) {
    co_return http::response::text(200, request.method + " " + request.path + " " + request.body,
                                   "text/plain");
}

inline answer show_identifiers(const http::request& request) {
    co_return http::response::text(200, request.request_id + " " + request.trace.trace_id_text(),
                                   "text/plain");
}

inline answer explode(const http::request& /*request*/) {
    throw std::runtime_error("a bug");
    co_return http::response::empty(200);
}

/// A server on a free port whose loop runs on a thread of its own.
class running_server {
public:
    explicit running_server(http::server_settings settings = {}) {
        settings.listen = {"127.0.0.1", 0};
        server_ = std::make_unique<http::server>(settings, routes(), nullptr, loop_, metrics_,
                                                 log::logger());
        if (const auto started = server_->start(); !started) {
            throw std::runtime_error(started.error().detail);
        }
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~running_server() {
        stop(std::chrono::seconds(5)).wait();
        work_.reset();
        thread_.join();
    }

    std::uint16_t port() const {
        return server_->port();
    }

    std::string metrics() const {
        return metrics_.serialize();
    }

    std::future<void> stop(std::chrono::milliseconds at_most) {
        return asio::co_spawn(loop_, server_->stop(at_most), asio::use_future);
    }

    void announce_drain() {
        asio::post(loop_, [this] { server_->announce_drain(); });
    }

    /// Lets the request that GET /wait holds go on.
    void release() {
        asio::post(loop_, [this] { gate_.cancel(); });
    }

    void wait_for_active(std::size_t count) {
        while (active() != count) {
            std::this_thread::yield();
        }
    }

private:
    std::size_t active() {
        std::promise<std::size_t> told;
        asio::post(loop_, [&] { told.set_value(server_->active_requests()); });
        return told.get_future().get();
    }

    answer wait(const http::request& /*request*/) {
        boost::system::error_code ignored;
        co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        co_return http::response::text(200, "waited", "text/plain");
    }

    std::vector<http::route> routes() {
        std::vector<http::route> table;
        auto add = [&](std::string method, std::string path, http::handler handle) -> http::route& {
            auto& made = table.emplace_back();
            made.method = std::move(method);
            made.path = std::move(path);
            made.handle = std::move(handle);
            made.body_type = "";
            made.body_max = 1000;
            return made;
        };
        add("GET", "/echo", echo);
        add("POST", "/echo", echo);
        add("POST", "/json", echo).body_type = "application/json";
        add("GET", "/ids", show_identifiers);
        add("GET", "/explode", explode);
        add("GET", "/mine", echo).access = http::access::account;
        add("GET", "/inside", echo).access = http::access::internal;
        add("GET", "/wait", [this](const http::request& request) { return wait(request); });
        return table;
    }

    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    metrics::registry metrics_;
    asio::steady_timer gate_{loop_, asio::steady_timer::time_point::max()};
    std::unique_ptr<http::server> server_;
    std::thread thread_;
};

inline std::string get(std::string_view path, std::string_view fields = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

} // namespace relais::test
