#include "rest/client.hpp"
#include "rest/outcome.hpp"
#include "support/await_on.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>

using namespace relais;
using namespace std::chrono_literals;
using test::raw_server;

namespace {

using outcome = std::expected<rest::answer, rest::no_answer>;

const std::string answer_ok =
    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n"
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

struct fixture {
    explicit fixture(std::string url, std::size_t queue_max = 16)
        : client({std::move(url), "mailjet", 2, queue_max, 4096}, metrics, {}) {}

    outcome send(rest::call what) {
        return test::await_on(loop, client.send(std::move(what), trace));
    }

    outcome post(std::chrono::milliseconds timeout = 5s) {
        rest::call what;
        what.target = "/v3.1/send?a=b%20c";
        what.headers = {{"Authorization", "Basic abc"}};
        what.body = R"({"Messages":[]})";
        what.timeout = timeout;
        return send(std::move(what));
    }

    boost::asio::io_context loop{1};
    metrics::registry metrics;
    rest::client client;
    trace::context trace = trace::context::start();
};

} // namespace

TEST_CASE("a request arrives whole, with its trace", "[rest]") {
    raw_server server([](int) { return raw_server::step{answer_ok}; });
    fixture provider(server.url());
    const auto given = provider.post();
    REQUIRE(given);
    CHECK(given->status == 200);
    CHECK(given->body == "{}");
    CHECK(given->header("content-type") == "application/json");
    REQUIRE(server.requests() == 1);
    const auto request = server.seen().front();
    CHECK(request.starts_with("POST /v3.1/send?a=b%20c HTTP/1.1\r\n"));
    CHECK(request.ends_with("\r\n\r\n{\"Messages\":[]}"));
    CHECK(request.find("Connection:close\r\n") != std::string::npos);
    CHECK(request.find("Content-Type:application/json\r\n") != std::string::npos);
    CHECK(request.find("traceparent:00-" + provider.trace.trace_id_text()) != std::string::npos);
}

TEST_CASE("a provider that processes and then closes gets the request once", "[rest]") {
    // What cpprestsdk does by itself on a kept-alive connection: send again. One request answered
    // with keep-alive first, so that there would be a connection to reuse.
    const bool reset = GENERATE_COPY(false, true);
    raw_server server([reset](int number) {
        return number == 1 ? raw_server::step{answer_ok} : raw_server::step{"", !reset, reset};
    });
    fixture provider(server.url());
    REQUIRE(provider.post());
    const auto second = provider.post();
    REQUIRE_FALSE(second);
    CHECK_FALSE(second.error().surely_not_sent);
    CHECK(second.error().reason.slug == "mailjet-connection-lost");
    CHECK(rest::class_of(second.error()) == rest::retry_class::ambiguous);
    CHECK(server.requests() == 2);
    CHECK(server.connections() == 2);
}

TEST_CASE("nobody listens: surely not sent", "[rest]") {
    std::string url;
    {
        const raw_server gone([](int) { return raw_server::step{}; });
        url = gone.url();
    }
    fixture provider(url);
    const auto given = provider.post();
    REQUIRE_FALSE(given);
    CHECK(given.error().surely_not_sent);
    CHECK(given.error().reason.slug == "mailjet-unreachable");
}

TEST_CASE("an answer that drips ends at the call's own limit", "[rest]") {
    raw_server server([](int) {
        return raw_server::step{"HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", false,
                                false, true};
    });
    fixture provider(server.url());
    const auto begin = std::chrono::steady_clock::now();
    const auto given = provider.post(300ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    REQUIRE_FALSE(given);
    CHECK_FALSE(given.error().surely_not_sent);
    CHECK(given.error().reason.kind == error_kind::timeout);
    CHECK(took >= 300ms);
    CHECK(took < 3s);
}

TEST_CASE("a provider that never answers is ambiguous", "[rest]") {
    raw_server server([](int) { return raw_server::step{}; });
    fixture provider(server.url());
    const auto given = provider.post(200ms);
    REQUIRE_FALSE(given);
    CHECK_FALSE(given.error().surely_not_sent);
    CHECK(given.error().reason.slug == "mailjet-timeout");
    CHECK(server.requests() == 1);
}

TEST_CASE("any status is an answer; redirects are not followed", "[rest]") {
    raw_server server([](int number) {
        return number == 1 ? raw_server::step{"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
                                              "Content-Length: 0\r\n\r\n"}
                           : raw_server::step{"HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\n"
                                              "Content-Length: 0\r\n\r\n"};
    });
    fixture provider(server.url());
    const auto busy = provider.post();
    REQUIRE(busy);
    CHECK(busy->status == 503);
    CHECK(busy->retry_after() == 7s);
    const auto elsewhere = provider.post();
    REQUIRE(elsewhere);
    CHECK(elsewhere->status == 307);
    CHECK(server.requests() == 2);
}

TEST_CASE("an answer cut short is ambiguous, one too large is not read", "[rest]") {
    raw_server server([](int number) {
        if (number == 1) {
            return raw_server::step{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Mess", true};
        }
        return raw_server::step{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                                std::string(100'000, 'x')};
    });
    fixture provider(server.url());
    const auto cut = provider.post();
    REQUIRE_FALSE(cut);
    CHECK_FALSE(cut.error().surely_not_sent);
    const auto large = provider.post();
    REQUIRE_FALSE(large);
    CHECK(large.error().reason.slug == "mailjet-answer-too-large");
}

TEST_CASE("a GET without a body works the same", "[rest]") {
    raw_server server([](int) { return raw_server::step{answer_ok}; });
    fixture provider(server.url());
    rest::call what;
    what.method = "GET";
    what.target = "/v3/REST/message?CustomID=1";
    const auto given = provider.send(std::move(what));
    REQUIRE(given);
    CHECK(server.seen().front().starts_with("GET /v3/REST/message?CustomID=1 HTTP/1.1\r\n"));
}

TEST_CASE("after stop() nothing is sent", "[rest]") {
    raw_server server([](int) { return raw_server::step{answer_ok}; });
    fixture provider(server.url());
    provider.client.stop();
    const auto given = provider.post();
    REQUIRE_FALSE(given);
    CHECK(given.error().surely_not_sent);
    CHECK(server.requests() == 0);
}

TEST_CASE("a provider that fails in a row is left alone, then tried once", "[rest]") {
    const std::string failing = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
    std::atomic<bool> mended = false;
    raw_server server([&](int) { return raw_server::step{mended ? answer_ok : failing}; });
    fixture provider(server.url());
    const auto open = [&] {
        return provider.metrics.serialize().find("provider_breaker_open{provider=\"mailjet\"} 1") !=
               std::string::npos;
    };
    for (int i = 0; i < 5; ++i) {
        REQUIRE(provider.post());
    }
    CHECK(open());
    const auto refused = provider.post();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().surely_not_sent);
    CHECK(refused.error().reason.slug == "mailjet-left-alone");
    CHECK(server.requests() == 5);
    mended = true;
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!provider.post()) {
        REQUIRE(std::chrono::steady_clock::now() < limit);
    }
    CHECK(server.requests() == 6);
    CHECK_FALSE(open());
}
