#include "http/identity.hpp"
#include "ids/encoding.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <set>
#include <sstream>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

struct rig {
    origin_server origin;
    gateway_process gateway{test::routes_for(origin.port())};

    std::string ask(const std::string& request) {
        raw_client client(gateway.port());
        client.send(request);
        return client.read_answer();
    }
};

std::string lower(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return text;
}

/// The values of a field as the service saw it.
std::vector<std::string> seen(const std::string& answer, const std::string& name) {
    std::vector<std::string> out;
    std::istringstream lines(answer);
    for (std::string line; std::getline(lines, line);) {
        if (lower(line).starts_with(name + ": ")) {
            out.push_back(line.substr(name.size() + 2));
        }
    }
    return out;
}

using values = std::vector<std::string>;

} // namespace

TEST_CASE("a service believes only what the gateway says of the client", "[gateway]") {
    rig with;
    const std::vector<std::string> forgeries{
        "X-Forwarded-For: 6.6.6.6\r\n",
        "x-forwarded-for: 6.6.6.6\r\nX-FORWARDED-FOR: 6.6.6.6\r\n",
        "X_Forwarded_For: 6.6.6.6\r\n",
        "Forwarded: for=6.6.6.6\r\n",
        "X-Real-IP: 6.6.6.6\r\n",
        "CF-Connecting-IP: 6.6.6.6\r\n",
        "True-Client-IP: 6.6.6.6\r\n",
        "X-Forwarded-Host: 6.6.6.6\r\n",
        "X-Forwarded-Proto: 6.6.6.6\r\n",
        "X-Forwarded-Prefix: 6.6.6.6\r\n",
        "X-Relais-Identity: 6.6.6.6\r\n",
        "x-relais-identity: 6.6.6.6\r\n",
        "X_Relais_Identity: 6.6.6.6\r\n",
        "X-Relais-Deadline-Ms: 6.6.6.6\r\n",
        "Via: 1.1 6.6.6.6\r\n",
        "Connection: X-Forwarded-For, X-Relais-Deadline-Ms, Via, Host, X-Request-Id\r\n",
        "Connection: close, x-FORWARDED-for\r\nX-Forwarded-For: 6.6.6.6\r\n",
        "Transfer-Encoding: chunked\r\n",
    };
    std::set<std::string> names;
    for (const auto& forged : forgeries) {
        INFO(forged);
        const bool trailers = forged.starts_with("Transfer");
        const std::string body =
            "0\r\nX-Forwarded-For: 6.6.6.6\r\nX-Relais-Identity: 6.6.6.6\r\n\r\n";
        const auto answer = with.ask(request_text(trailers ? "POST" : "GET", "/v1/echo", forged) +
                                     (trailers ? body : ""));
        REQUIRE_THAT(answer, StartsWith("HTTP/1.1 200"));
        CHECK_THAT(answer, !ContainsSubstring("6.6.6.6"));
        CHECK(seen(answer, "x-forwarded-for") == values{"127.0.0.1"});
        CHECK(seen(answer, "x-forwarded-proto") == values{"http"});
        CHECK(seen(answer, "x-forwarded-host") == values{"shop.example"});
        CHECK(seen(answer, "via") == values{"1.1 relais"});
        CHECK(seen(answer, "x-relais-identity").empty());
        CHECK(seen(answer, "x-relais-deadline-ms").size() == 1);
    }
}

TEST_CASE("fields of one hop stay on it, all others arrive in order", "[gateway]") {
    rig with;
    const auto answer =
        with.ask(request_text("GET", "/v1/echo?a=1",
                              "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n"
                              "TE: trailers\r\nProxy-Authorization: x\r\nUpgrade: websocket\r\n"
                              "Connection: upgrade, x-secret\r\nCookie: a=b\r\n"));
    CHECK_THAT(answer, ContainsSubstring("GET /v1/echo?a=1\n"));
    CHECK(seen(answer, "x-a") == values{"1", "3"});
    CHECK(seen(answer, "cookie") == values{"a=b"});
    for (const char* name : {"x-secret", "keep-alive", "te", "proxy-authorization", "upgrade"}) {
        CHECK(seen(answer, name).empty());
    }
}

TEST_CASE("request id and trace go through", "[gateway]") {
    rig with;
    const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const auto answer = with.ask(request_text("GET", "/v1/echo",
                                              "X-Request-Id: abc-1\r\ntraceparent: 00-" + trace +
                                                  "-00f067aa0ba902b7-01\r\n"));
    CHECK_THAT(answer, ContainsSubstring("X-Request-Id: abc-1\r\n"));
    CHECK(seen(answer.substr(answer.find("\r\n\r\n")), "x-request-id") == values{"abc-1"});
    REQUIRE(seen(answer, "traceparent").size() == 1);
    CHECK_THAT(seen(answer, "traceparent")[0],
               StartsWith("00-" + trace) && !ContainsSubstring("00f067aa0ba902b7"));
    CHECK(with.gateway.wait_for_log(trace));
}

TEST_CASE("a token becomes a signed identity", "[gateway]") {
    rig with;
    const auto raw = from_base64url(gateway_process::identity_public_key());
    const http::identity_verifier verifier(config::secret(std::string(raw->begin(), raw->end())));
    for (int i = 0; i < 3; ++i) {
        const auto answer =
            with.ask(request_text("GET", "/v1/echo", "Authorization: Bearer good\r\n"));
        REQUIRE(seen(answer, "x-relais-identity").size() == 1);
        const auto who =
            verifier.verify(seen(answer, "x-relais-identity")[0], system_clock().now());
        REQUIRE(who);
        CHECK(who->account.text() == origin_server::account);
        CHECK(who->credential_id == origin_server::session);
        CHECK(who->roles == values{"user"});
        CHECK(seen(answer, "authorization").empty());
    }
    CHECK(with.origin.introspections() == 1);

    const int before = with.origin.requests();
    for (const char* given : {"Bearer bad", "Basic Zm9v", "Bearer "}) {
        const auto answer =
            with.ask(request_text("GET", "/v1/echo", fmt::format("Authorization: {}\r\n", given)));
        CHECK_THAT(answer, StartsWith("HTTP/1.1 401") &&
                               ContainsSubstring("application/problem+json") &&
                               ContainsSubstring("WWW-Authenticate: Bearer") &&
                               ContainsSubstring("problems/invalid-token"));
    }
    CHECK(with.origin.requests() == before);
    const auto webhook =
        with.ask(request_text("POST", "/webhooks/echo", "Authorization: Basic Zm9v\r\n", "{}"));
    CHECK(seen(webhook, "authorization") == values{"Basic Zm9v"});
    CHECK(seen(webhook, "x-relais-identity").empty());
}

TEST_CASE("what is not routed is refused by the gateway itself", "[gateway]") {
    rig with;
    CHECK_THAT(with.ask(request_text("POST", "/internal/v1/introspections", "", "{}")),
               StartsWith("HTTP/1.1 404"));
    CHECK_THAT(with.ask(request_text("GET", "/v1/../internal/v1/introspections")),
               StartsWith("HTTP/1.1 404"));
    CHECK_THAT(with.ask(request_text("GET", "/readyz")), StartsWith("HTTP/1.1 404"));
    CHECK_THAT(with.ask(request_text("GET", "/v1x")), StartsWith("HTTP/1.1 404"));
    CHECK_THAT(with.ask(request_text("GET", "/webhooks/echo")),
               StartsWith("HTTP/1.1 405") && ContainsSubstring("Allow: POST\r\n"));
    CHECK_THAT(with.ask(request_text("GET", "/v1/%2e%2e/v1//echo")),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("GET /v1/echo?"));
    CHECK_THAT(with.ask(request_text("GET", "/v1/echo", "X: " + std::string(20'000, 'x') + "\r\n")),
               StartsWith("HTTP/1.1 431"));
    const std::string large(2000, 'x');
    CHECK_THAT(with.ask(request_text("POST", "/v1/echo/small", "", large)),
               StartsWith("HTTP/1.1 413") && ContainsSubstring("Connection: close"));
    CHECK_THAT(with.ask(request_text("POST", "/v1/echo/small", "Transfer-Encoding: chunked\r\n") +
                        "7d0\r\n" + large + "\r\n0\r\n\r\n"),
               StartsWith("HTTP/1.1 413"));
    CHECK(with.gateway.wait_for_log(R"("error_reason":"body_too_large")"));
    CHECK_THAT(with.gateway.admin("/metrics"),
               ContainsSubstring("gateway_errors_total{reason=\"no_route\",upstream=\"none\"} 4"));
}

TEST_CASE("a method that nobody knows is 501, one that a route does not allow 405", "[gateway]") {
    rig with;
    for (const char* method : {"PROPFIND", "TRACE", "get", "PRI"}) {
        CAPTURE(method);
        for (const char* path : {"/v1/echo", "/webhooks/echo", "/nowhere"}) {
            const auto answer = with.ask(request_text(method, path));
            CHECK_THAT(answer, StartsWith("HTTP/1.1 501 Not Implemented\r\n") &&
                                   ContainsSubstring(R"("slug":"unknown-method")") &&
                                   ContainsSubstring("\r\nConnection: close\r\n") &&
                                   !ContainsSubstring("\r\nAllow:"));
        }
    }
    CHECK(with.gateway.wait_for_log(R"("status":501)"));
    CHECK(with.gateway.wait_for_log(R"("error_reason":"method_not_allowed","code":"")"));
    CHECK_THAT(with.ask(request_text("DELETE", "/webhooks/echo")),
               StartsWith("HTTP/1.1 405 Method Not Allowed\r\n") &&
                   ContainsSubstring("\r\nAllow: POST\r\n"));
    CHECK(with.origin.requests() == 0);
}

TEST_CASE("an instance that is not ready gets nothing", "[gateway]") {
    origin_server first;
    origin_server second;
    gateway_process gateway(test::routes_for(first.port()),
                            {{"RELAIS_WEB_API_URL", first.url() + "," + second.url()}});
    raw_client client(gateway.port());
    const auto ask = [&] {
        client.send(request_text("GET", "/v1/echo"));
        return client.read_answer().starts_with("HTTP/1.1 200");
    };
    for (int i = 0; i < 200 && (first.requests() == 0 || second.requests() == 0); ++i) {
        REQUIRE(ask());
    }
    CHECK(first.requests() > 0);
    CHECK(second.requests() > 0);
    second.set_ready(false);
    REQUIRE(gateway.wait_for_log("upstream.not_ready"));
    const int before = second.requests();
    for (int i = 0; i < 50; ++i) {
        REQUIRE(ask());
    }
    CHECK(second.requests() == before);
}
