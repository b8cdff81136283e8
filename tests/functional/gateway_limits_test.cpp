#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

std::string routes(std::uint16_t origin, const std::string& of_route, const std::string& more) {
    return fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 200000000 {} }}
{})",
                       origin, of_route, more);
}

struct rig {
    origin_server origin;
    gateway_process gateway;

    explicit rig(const std::string& of_route, const std::string& more)
        : gateway(routes(origin.port(), of_route, more)) {}

    std::string ask(const std::string& fields) {
        raw_client client(gateway.port());
        client.send(request_text("GET", "/v1/echo", fields));
        return client.read_answer();
    }

    int allowed_of(int count, const std::string& fields) {
        int passed = 0;
        for (int i = 0; i < count; ++i) {
            passed += ask(fields).starts_with("HTTP/1.1 200") ? 1 : 0;
        }
        return passed;
    }
};

} // namespace

TEST_CASE("a limit holds over all event loops, and says so", "[gateway]") {
    rig with(
        R"(limit: "address")",
        R"(limit { name: "address" subject: LIMIT_SUBJECT_ADDRESS requests: 5 window_s: 3600 })");
    const auto first = with.ask("");
    CHECK_THAT(first, StartsWith("HTTP/1.1 200") &&
                          ContainsSubstring("RateLimit-Policy: \"address\";q=5;w=3600\r\n") &&
                          ContainsSubstring("RateLimit: \"address\";r=4;t="));
    CHECK(with.allowed_of(8, "") == 4);
    const auto refused = with.ask("");
    CHECK_THAT(refused, StartsWith("HTTP/1.1 429") && ContainsSubstring("problems/rate-limited") &&
                            ContainsSubstring("Retry-After: ") &&
                            ContainsSubstring("RateLimit: \"address\";r=0;t="));
    CHECK(with.gateway.wait_for_log(R"("error_reason":"rate_limited")"));
}

TEST_CASE("accounts have limits of their own, a route its cost", "[gateway]") {
    rig with(
        R"(limit: "account" cost: 2)",
        R"(limit { name: "account" subject: LIMIT_SUBJECT_ACCOUNT requests: 6 window_s: 3600 })");
    CHECK(with.allowed_of(5, "Authorization: Bearer good\r\n") == 3);
    CHECK(with.allowed_of(5, "") == 5); // nobody's: it does not come under it
}

TEST_CASE("the client's address is what trusted proxies say", "[gateway]") {
    rig with(R"(limit: "address")",
             R"(limit { name: "address" subject: LIMIT_SUBJECT_ADDRESS requests: 2 window_s: 3600 }
client_address { trusted: "127.0.0.0/8" trusted: "10.0.0.0/8"
                 source: ADDRESS_SOURCE_X_FORWARDED_FOR })");
    const std::string one = "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.1.1\r\n";
    const auto answer = with.ask(one + "X-Forwarded-Proto: https\r\n");
    CHECK_THAT(answer, ContainsSubstring("192.0.2.1\n") && ContainsSubstring("https\n") &&
                           !ContainsSubstring("6.6.6.6"));
    CHECK(with.allowed_of(3, one) == 1);
    CHECK(with.allowed_of(3, "X-Forwarded-For: 192.0.2.2\r\n") == 2);
}

TEST_CASE("an address has so many connections, and gets room again", "[gateway]") {
    rig with("", "connections { per_address_max: 4 }");
    std::vector<std::unique_ptr<raw_client>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<raw_client>(with.gateway.port()));
        clients.back()->send(request_text("GET", "/v1/echo"));
        CHECK_THAT(clients.back()->read_answer(), StartsWith("HTTP/1.1 200"));
    }
    raw_client refused(with.gateway.port());
    CHECK_THAT(refused.read_all(), StartsWith("HTTP/1.1 429") &&
                                       ContainsSubstring("problems/connection-limit") &&
                                       ContainsSubstring("Connection: close\r\n"));
    clients.pop_back();
    while (!with.ask("").starts_with("HTTP/1.1 200")) {} // once its end was noticed
}

TEST_CASE("so many large bodies at a time", "[gateway]") {
    rig with("uploads_max: 1", "");
    raw_client first(with.gateway.port());
    const std::string head = "PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    first.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
               "Content-Length: 100000\r\n\r\n");
    REQUIRE_THAT(first.read_answer(), StartsWith("HTTP/1.1 100"));
    raw_client second(with.gateway.port());
    second.send(head);
    CHECK_THAT(second.read_answer(),
               StartsWith("HTTP/1.1 429") && ContainsSubstring("too-many-uploads"));
    first.send(std::string(100'000, 'x'));
    CHECK_THAT(first.read_answer(), StartsWith("HTTP/1.1 200"));
    raw_client third(with.gateway.port());
    third.send(head + std::string(100'000, 'x'));
    CHECK_THAT(third.read_answer(), StartsWith("HTTP/1.1 200"));
}
