#include "http/server.hpp"
#include "support/raw_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <future>
#include <thread>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::raw_client;

namespace asio = boost::asio;

namespace {

using answer = asio::awaitable<result<http::response>>;

answer echo(const http::request& request) {
    co_return http::response::text(200, request.method + " " + request.path + " " + request.body,
                                   "text/plain");
}

answer show_identifiers(const http::request& request) {
    co_return http::response::text(200, request.request_id + " " + request.trace.trace_id_text(),
                                   "text/plain");
}

answer explode(const http::request& /*request*/) {
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
        REQUIRE(server_->start());
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~running_server() {
        stop(5s).wait();
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

std::string get(std::string_view path, std::string_view fields = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

} // namespace

TEST_CASE("requests are answered in order on one connection", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/echo") +
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nHost: evil\r\n\r\n" +
                get("/nowhere"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 200 OK\r\n") && ContainsSubstring("\r\n\r\nGET /echo "));
    CHECK_THAT(client.read_answer(), ContainsSubstring("\r\n\r\nPOST /echo abcde"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 404") && ContainsSubstring("application/problem+json"));
    server.wait_for_active(0); // what is counted is counted after the answer
    CHECK_THAT(server.metrics(),
               ContainsSubstring("code=\"404\",method=\"GET\",route=\"other\"} 1"));
}

TEST_CASE("a head may come byte by byte", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    for (const char c : get("/echo")) {
        client.send({&c, 1});
    }
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("what is no request is answered once and the connection closed", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n" + get("/echo"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 400") && ContainsSubstring("Connection: close"));
    CHECK(client.read_all().empty());
}

TEST_CASE("a body over the limit is refused and the client sees why", "[http][server]") {
    running_server server;
    SECTION("before it is read, when Content-Length says so") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        client.send(std::string(100000, 'x'));
        CHECK_THAT(client.read_answer(),
                   StartsWith("HTTP/1.1 413") && ContainsSubstring("body-too-large"));
        CHECK(client.closed_by_peer());
    }
    SECTION("as soon as it is seen, when it is chunked") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                    std::string(1500, 'x'));
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 413"));
    }
}

TEST_CASE("100-continue is sent when the body is wanted, and only then", "[http][server]") {
    running_server server;
    raw_client wanted(server.port());
    wanted.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(wanted.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    wanted.send("hi");
    CHECK_THAT(wanted.read_answer(), ContainsSubstring("POST /echo hi"));

    raw_client unwanted(server.port());
    unwanted.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n");
    CHECK_THAT(unwanted.read_answer(), StartsWith("HTTP/1.1 413"));
}

TEST_CASE("a handler's exception is a 500 and the connection lives on", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/explode"));
    const auto answer = client.read_answer();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 500") && !ContainsSubstring("a bug"));
    client.send(get("/echo"));
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(server.metrics(), ContainsSubstring("http_server_handler_exceptions_total 1"));
}

TEST_CASE("the head has a deadline however it drips", "[http][server]") {
    http::server_settings settings;
    settings.header_timeout = 100ms;
    settings.body_timeout = 100ms;
    running_server server(settings);
    SECTION("head") {
        raw_client client(server.port());
        client.send("GET /echo HT");
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 408"));
    }
    SECTION("body") {
        raw_client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 408"));
        CHECK(client.closed_by_peer());
    }
}

TEST_CASE("an idle connection is closed without a word", "[http][server]") {
    http::server_settings settings;
    settings.idle_timeout = 50ms;
    running_server server(settings);
    raw_client client(server.port());
    CHECK(client.read_all().empty());
}

TEST_CASE("request id and trace are taken over when valid", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    client.send(get("/ids",
                    "X-Request-Id: abc-1\r\n"
                    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
    const auto answer = client.read_answer();
    CHECK_THAT(answer, ContainsSubstring("abc-1 4bf92f3577b34da6a3ce929d0e0e4736"));
    CHECK_THAT(answer, ContainsSubstring("x-request-id: abc-1\r\n"));
    client.send(get("/ids", "X-Request-Id: a b\r\ntraceparent: 00-zz\r\n"));
    CHECK_THAT(client.read_answer(), !ContainsSubstring("a b"));
}

TEST_CASE("methods, media types and access are checked before the handler", "[http][server]") {
    running_server server;
    raw_client client(server.port());
    const auto ask = [&](std::string_view request, bool head_only = false) {
        client.send(request);
        return client.read_answer(head_only);
    };
    CHECK_THAT(ask("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
               StartsWith("HTTP/1.1 405") && ContainsSubstring("Allow: GET, POST, HEAD, OPTIONS"));
    CHECK_THAT(ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 204"));
    CHECK_THAT(ask("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n", true),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("Content-Length: 11\r\n"));
    CHECK_THAT(ask("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                   "Content-Length: 2\r\n\r\n{}"),
               StartsWith("HTTP/1.1 415"));
    CHECK_THAT(ask("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: Application/JSON; charset=utf-8"
                   "\r\nContent-Length: 2\r\n\r\n{}"),
               StartsWith("HTTP/1.1 200"));
    CHECK_THAT(ask(get("/mine")),
               StartsWith("HTTP/1.1 401") && ContainsSubstring("WWW-Authenticate: Bearer"));
    CHECK_THAT(ask(get("/inside")), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(ask(get("/inside", "X-Forwarded-For: 1.2.3.4\r\n")), StartsWith("HTTP/1.1 404"));
}

TEST_CASE("connections over the limit wait until there is room", "[http][server]") {
    http::server_settings settings;
    settings.connections_max = 1;
    running_server server(settings);
    auto first = std::make_unique<raw_client>(server.port());
    first->send(get("/echo"));
    CHECK_THAT(first->read_answer(), StartsWith("HTTP/1.1 200"));
    raw_client second(server.port());
    second.send(get("/echo"));
    first.reset();
    CHECK_THAT(second.read_answer(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a stop lets the request in progress end", "[http][server]") {
    running_server server;
    raw_client idle(server.port());
    idle.send(get("/echo"));
    CHECK_THAT(idle.read_answer(), !ContainsSubstring("Connection: close"));
    raw_client busy(server.port());
    busy.send(get("/wait"));
    server.wait_for_active(1);
    auto stopped = server.stop(5s);
    CHECK(idle.closed_by_peer());
    CHECK_THROWS(raw_client(server.port()));
    server.release();
    CHECK_THAT(busy.read_answer(),
               ContainsSubstring("waited") && ContainsSubstring("Connection: close"));
    CHECK(busy.closed_by_peer());
    CHECK(stopped.wait_for(5s) == std::future_status::ready);
}

TEST_CASE("a stop cuts off what takes too long", "[http][server]") {
    running_server server;
    raw_client busy(server.port());
    busy.send(get("/wait"));
    server.wait_for_active(1);
    auto stopped = server.stop(50ms);
    CHECK(stopped.wait_for(5s) == std::future_status::ready);
    CHECK(busy.read_answer().empty());
}

TEST_CASE("a port that is taken is named", "[http][server]") {
    running_server server;
    asio::io_context loop;
    metrics::registry metrics;
    http::server_settings settings;
    settings.listen = {"127.0.0.1", server.port()};
    http::server second(settings, {}, nullptr, loop, metrics, log::logger());
    const auto started = second.start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().detail, ContainsSubstring(std::to_string(server.port())));
}
