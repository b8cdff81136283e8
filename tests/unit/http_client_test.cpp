#include "http/client.hpp"
#include "http/client_connection.hpp"
#include "support/await_on.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::raw_server;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

struct fixture {
    boost::asio::io_context loop{1};
    metrics::registry metrics;

    http::client_settings settings_for(std::string url) {
        http::client_settings out;
        out.base_url = std::move(url);
        out.name = "origin";
        out.body_max = 1000;
        return out;
    }

    result<http::response> send(http::client& client, std::string method = "GET",
                                std::string body = "", std::chrono::milliseconds timeout = 5s) {
        http::client::call what;
        what.method = std::move(method);
        what.target = "/x?y=1";
        what.headers.set("X-A", "1");
        what.body = std::move(body);
        what.timeout = timeout;
        return test::await_on(loop, client.send(std::move(what)));
    }
};

} // namespace

TEST_CASE("one connection serves several calls", "[http][client]") {
    fixture with;
    raw_server server([](int) { return raw_server::step{ok}; });
    http::client client(with.settings_for(server.url()), with.loop, with.metrics);
    const auto first = with.send(client);
    REQUIRE(first);
    CHECK(first->status == 200);
    CHECK(first->body == "hi");
    REQUIRE(with.send(client, "POST", "{}"));
    CHECK(server.connections() == 1);
    CHECK_THAT(server.seen()[0], ContainsSubstring("GET /x?y=1 HTTP/1.1\r\n") &&
                                     ContainsSubstring("Host: 127.0.0.1:") &&
                                     ContainsSubstring("X-A: 1\r\n"));
    CHECK_THAT(server.seen()[1], ContainsSubstring("Content-Length: 2\r\n\r\n{}"));
}

TEST_CASE("answers in every framing", "[http][client]") {
    fixture with;
    const std::vector<std::pair<raw_server::step, std::string>> answers{
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"}, "hi"},
        {{"HTTP/1.1 200 OK\r\n\r\nall of it", true}, "all of it"},
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n" + ok}, "hi"},
        {{"HTTP/1.1 204 No Content\r\n\r\n"}, ""},
    };
    for (const auto& [step, body] : answers) {
        raw_server server([&step](int) { return step; });
        http::client client(with.settings_for(server.url()), with.loop, with.metrics);
        const auto answer = with.send(client);
        REQUIRE(answer);
        CHECK(answer->body == body);
    }
}

TEST_CASE("a kept connection that is dead is replaced, where that is safe", "[http][client]") {
    fixture with;
    // The second request on the first connection is read and then answered with a reset.
    const auto script = [](int number) {
        return number == 2 ? raw_server::step{"", false, true} : raw_server::step{ok};
    };
    SECTION("an idempotent request is sent again") {
        raw_server server(script);
        http::client client(with.settings_for(server.url()), with.loop, with.metrics);
        REQUIRE(with.send(client));
        CHECK(with.send(client));
        CHECK(server.requests() == 3);
    }
    SECTION("any other may have been done") {
        raw_server server(script);
        http::client client(with.settings_for(server.url()), with.loop, with.metrics);
        REQUIRE(with.send(client));
        const auto second = with.send(client, "POST", "{}");
        REQUIRE_FALSE(second);
        CHECK(second.error().slug == "origin-unreachable");
        CHECK(server.requests() == 2);
    }
    SECTION("not after the answer began") {
        raw_server server([](int number) {
            return number == 2 ? raw_server::step{"HTTP/1.1 2", false, true} : raw_server::step{ok};
        });
        http::client client(with.settings_for(server.url()), with.loop, with.metrics);
        REQUIRE(with.send(client));
        CHECK_FALSE(with.send(client));
        CHECK(server.requests() == 2);
    }
}

TEST_CASE("bytes behind an answer never become the next answer", "[http][client]") {
    fixture with;
    raw_server server([](int number) {
        return raw_server::step{number == 1 ? ok + "HTTP/1.1 500 No\r\n\r\n" : ok};
    });
    http::client client(with.settings_for(server.url()), with.loop, with.metrics);
    REQUIRE(with.send(client));
    const auto second = with.send(client);
    REQUIRE(second);
    CHECK(second->status == 200);
    CHECK(server.connections() == 2);
}

TEST_CASE("what can go wrong has its own error", "[http][client]") {
    fixture with;
    const auto slug_of = [&](raw_server::step step, std::chrono::milliseconds timeout = 5s) {
        raw_server server([&step](int) { return step; });
        http::client client(with.settings_for(server.url()), with.loop, with.metrics);
        const auto answer = with.send(client, "GET", "", timeout);
        return answer ? std::string("none") : answer.error().slug;
    };
    CHECK(slug_of({"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi"}) == "origin-bad-answer");
    CHECK(slug_of({"SSH-2.0-x\r\n"}) == "origin-bad-answer");
    CHECK(slug_of({"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')}) ==
          "origin-answer-too-large");
    CHECK(slug_of({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", true}) ==
          "origin-unreachable");
    CHECK(slug_of({}, 100ms) == "origin-timeout");
    CHECK(slug_of({ok, false, false, true}, 100ms) == "origin-timeout"); // byte by byte

    http::client nobody(with.settings_for("http://127.0.0.1:1"), with.loop, with.metrics);
    CHECK(with.send(nobody).error().slug == "origin-unreachable");
    raw_server plain([](int) { return raw_server::step{ok, true}; });
    const auto url = "https://127.0.0.1:" + std::to_string(plain.port());
    http::client encrypted(with.settings_for(url), with.loop, with.metrics);
    CHECK(with.send(encrypted, "GET", "", 500ms).error().slug == "origin-unreachable");
}

TEST_CASE("a call waits for a connection no longer than it may", "[http][client]") {
    fixture with;
    raw_server server([](int) { return raw_server::step{}; });
    auto settings = with.settings_for(server.url());
    settings.connections_max = 1;
    http::client client(settings, with.loop, with.metrics);
    std::optional<result<http::response>> first;
    http::client::call slow;
    slow.timeout = 300ms;
    boost::asio::co_spawn(with.loop, client.send(slow),
                          [&](const std::exception_ptr&, result<http::response> answer) {
                              first = std::move(answer);
                          });
    const auto second = with.send(client, "GET", "", 100ms);
    CHECK(second.error().slug == "origin-timeout");
    CHECK(server.requests() <= 1);
    while (!first && with.loop.run_one() > 0) {}
    CHECK(first->error().slug == "origin-timeout");
}

TEST_CASE("base URLs", "[http][client]") {
    const auto plain = http::parse_origin("http://[::1]:8080/base/");
    REQUIRE(plain);
    CHECK(plain->host == "::1");
    CHECK(plain->port == "8080");
    CHECK(plain->path == "/base");
    const auto encrypted = http::parse_origin("https://example.org");
    REQUIRE(encrypted);
    CHECK(encrypted->port == "443");
    CHECK(encrypted->authority == "example.org");
    CHECK_FALSE(http::parse_origin("ftp://x"));
    CHECK_FALSE(http::parse_origin("http://u@x"));
    CHECK_FALSE(http::parse_origin("http://x:99999"));
    CHECK_FALSE(http::parse_origin("http://x/a b"));
}
