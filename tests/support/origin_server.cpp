#include "support/origin_server.hpp"

#include "http/json_reader.hpp"
#include "ids/encoding.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace asio = boost::asio;

namespace relais::test {

origin_server::origin_server() {
    http::server_settings settings;
    settings.listen = {"127.0.0.1", 0};
    server_ =
        std::make_unique<http::server>(settings, routes(), nullptr, loop_, metrics_, log::logger());
    if (const auto started = server_->start(); !started) {
        throw std::runtime_error(started.error().detail);
    }
    thread_ = std::thread([this] { loop_.run(); });
}

origin_server::~origin_server() {
    release();
    asio::co_spawn(loop_, server_->stop(std::chrono::milliseconds(100)), asio::use_future).wait();
    work_.reset();
    thread_.join();
}

std::uint16_t origin_server::port() const {
    return server_->port();
}

std::string origin_server::url() const {
    return fmt::format("http://127.0.0.1:{}", port());
}

void origin_server::release() {
    asio::post(loop_, [this] { gate_.cancel(); });
}

origin_server::answer origin_server::echo(const http::request& request) {
    ++requests_;
    std::string text = request.method + " " + request.path + "?" + request.query + "\n";
    for (const auto& [name, value] : request.headers.all()) {
        text += name + ": " + value + "\n";
    }
    text +=
        fmt::format("body {} {}\n", request.body.size(), to_hex(sha256(as_bytes(request.body))));
    co_return http::response::text(200, text, "text/plain");
}

origin_server::answer origin_server::bytes(const http::request& request) {
    const auto size = request.query_parameter("size");
    if (!size || !*size) {
        co_return fail(error_kind::invalid, "no-size");
    }
    co_return http::response::text(200, std::string(std::stoul(**size), 'x'), "text/plain");
}

origin_server::answer origin_server::hold(const http::request& /*request*/) {
    ++held_;
    boost::system::error_code ignored;
    co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return http::response::text(200, "released", "text/plain");
}

origin_server::answer origin_server::introspect(const http::request& request) {
    ++introspections_;
    const http::json_reader body(request.body);
    if (body.text("token", {1, 100}) != "good") {
        co_return http::response::json(200, R"({"active":false})");
    }
    co_return http::response::json(
        200,
        fmt::format(R"({{"active":true,"account_id":"{}","session_id":"{}","roles":["user"]}})",
                    account, session));
}

origin_server::answer origin_server::readyz(const http::request& /*request*/) {
    co_return http::response::text(ready_ ? 200 : 503, "", "text/plain");
}

std::vector<http::route> origin_server::routes() {
    std::vector<http::route> table;
    const auto add = [&](std::string method, std::string path,
                         answer (origin_server::*handle)(const http::request&)) {
        auto& made = table.emplace_back();
        made.method = std::move(method);
        made.path = std::move(path);
        made.body_type = "";
        made.body_max = std::size_t{200} * 1024 * 1024;
        made.handle = [this, handle](const http::request& request) {
            return (this->*handle)(request);
        };
    };
    for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
        add(method, "/v1/echo", &origin_server::echo);
    }
    add("POST", "/webhooks/echo", &origin_server::echo);
    add("GET", "/v1/bytes", &origin_server::bytes);
    add("GET", "/v1/hold", &origin_server::hold);
    add("POST", "/v1/hold", &origin_server::hold);
    add("POST", "/internal/v1/introspections", &origin_server::introspect);
    add("GET", "/readyz", &origin_server::readyz);
    return table;
}

} // namespace relais::test
