#include "clock/rfc3339.hpp"
#include "gateway/identity/introspector.hpp"
#include "ids/encoding.hpp"
#include "support/await_on.hpp"
#include "support/raw_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

using namespace relais;
using namespace std::chrono_literals;
using test::raw_server;

namespace {

std::string answer(const std::string& body) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

std::string active(std::string session, const std::string& more = "") {
    return answer(fmt::format(
        R"({{"active":true,"account_id":"0190163d-8694-739b-aea5-966c26f8ad91","session_id":"{}","roles":["r"]{}}})",
        session, more));
}

/// Of the fixture's signer.
config::secret public_key() {
    const auto raw = from_base64url("gyClGXfYw4yopJJ8Zw31gh5El2GUXhXp77JqFQnSMOo");
    return config::secret(std::string(raw->begin(), raw->end()));
}

struct fixture {
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    manual_clock time{timestamp(std::chrono::seconds(1'800'000'000))};
    raw_server web_api;
    http::client client;
    http::identity_signer signer{config::secret(std::string(32, 'k'))};
    gateway::introspector introspector{{&client}, signer, time, loop, metrics};

    explicit fixture(std::function<raw_server::step(int)> script)
        : web_api(std::move(script)),
          client({.base_url = web_api.url(), .name = "web-api"}, loop, metrics) {}

    /// The session the token belongs to, "" for none, "error".
    std::string resolve(const std::string& token) {
        const auto found =
            test::await_on(loop, introspector.resolve(token, trace::context::start()));
        return !found ? "error" : found->caller ? found->caller->who.credential_id : "";
    }
};

} // namespace

TEST_CASE("an answer is kept for thirty seconds", "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    CHECK(with.resolve("t") == "s1");
    with.time.advance(29s);
    CHECK(with.resolve("t") == "s1");
    CHECK(with.web_api.requests() == 1);
    with.time.advance(2s);
    CHECK(with.resolve("t") == "s1");
    CHECK(with.web_api.requests() == 2);
    CHECK(with.resolve("another") == "s1");
    CHECK(with.web_api.requests() == 3);
}

TEST_CASE("nobody is asked about what is too long for a token", "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    CHECK(with.resolve(std::string(1'025, 't')).empty());
    CHECK(with.web_api.requests() == 0);
    CHECK(with.resolve(std::string(1'024, 't')) == "s1");
}

TEST_CASE("an identity is not believed beyond its end", "[gateway]") {
    const timestamp end{std::chrono::seconds(1'800'000'010)};
    const auto text = active("s1", fmt::format(R"(,"expires_at":"{}")", to_rfc3339(end)));
    fixture with([&](int number) {
        return raw_server::step{number == 1 ? text : answer(R"({"active":false})")};
    });
    CHECK(with.resolve("t") == "s1");
    with.time.advance(11s);
    CHECK(with.resolve("t").empty());
}

TEST_CASE("when the wall clock is set, identities are signed anew", "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    const http::identity_verifier verifier(public_key());
    const auto believed = [&] {
        const auto found =
            test::await_on(with.loop, with.introspector.resolve("t", trace::context::start()));
        REQUIRE(found);
        REQUIRE(found->caller);
        return verifier.verify(found->caller->signed_header, with.time.now()).has_value();
    };
    CHECK(believed());
    with.time.jump(1h);
    CHECK(believed());
    with.time.jump(-2h);
    CHECK(believed());
    CHECK(with.web_api.requests() == 3);
    CHECK(believed());
    CHECK(with.web_api.requests() == 3); // kept again
}

TEST_CASE("a revocation ends what is kept at once", "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    CHECK(with.resolve("t") == "s1");
    with.introspector.revoke("s2");
    CHECK(with.resolve("t") == "s1");
    with.introspector.revoke("s1");
    CHECK(with.resolve("t").empty());
}

TEST_CASE("requests with one unknown token ask once", "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    int answered = 0;
    for (int i = 0; i < 5; ++i) {
        boost::asio::co_spawn(with.loop, with.introspector.resolve("t", trace::context::start()),
                              [&](const std::exception_ptr&, const auto& found) {
                                  answered += found && found->caller ? 1 : 0;
                              });
    }
    while (answered < 5 && with.loop.run_one() > 0) {}
    CHECK(with.web_api.requests() == 1);
}

TEST_CASE("an answer that was under way when its session was revoked is not believed",
          "[gateway]") {
    fixture with([](int) { return raw_server::step{active("s1")}; });
    std::optional<bool> believed;
    boost::asio::co_spawn(with.loop, with.introspector.resolve("t", trace::context::start()),
                          [&](const std::exception_ptr&, const auto& found) {
                              believed = found && found->caller.has_value();
                          });
    with.loop.poll_one(); // the question is on its way
    with.introspector.revoke("s1");
    while (!believed && with.loop.run_one() > 0) {}
    CHECK(believed == false);
}

TEST_CASE("what web-api says in error is an error, not a refusal", "[gateway]") {
    const std::vector<raw_server::step> steps{{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"},
                                              {answer("{}")},
                                              {answer("no")},
                                              {answer(R"({"active":true})")},
                                              {"", true}};
    for (const auto& step : steps) {
        fixture with([&](int) { return step; });
        CHECK(with.resolve("t") == "error");
    }
}
