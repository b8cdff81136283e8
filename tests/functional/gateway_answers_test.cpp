#include "support/answering_server.hpp"
#include "support/gateway_process.hpp"
#include "support/raw_client.hpp"
#include "support/service_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::request_text;

namespace {

struct rig {
    test::answering_server origin{[](const std::string&, const auto& out) {
        out(test::answer_text("X-Powered-By: steam\r\nAccess-Control-Allow-Origin: *\r\n",
                              "hello"));
    }};
    std::uint16_t balanced = test::free_port(); ///< where a load balancer comes that ends TLS
    test::gateway_process gateway{fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 method: "GET" method: "PUT" cors: "app" response_headers: "secure" }}
route {{ prefix: "/plain" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 }}
response_headers {{ name: "secure" security_preset: true
                   set {{ name: "Cache-Control" value: "private" }} }}
cors {{ name: "app" origin: "https://app.example" credentials: true request_header: "Authorization"
       expose_header: "X-Request-Id" max_age_s: 600 }}
client_address {{ trusted: "127.0.0.1/32" source: ADDRESS_SOURCE_X_FORWARDED_FOR }}
listener {{ address: "127.0.0.1:{}" protocol: PROTOCOL_HTTP
           strict_transport_security {{ max_age_s: 60 }} }}
)",
                                              origin.port(), balanced)};

    std::string ask(const std::string& method, const std::string& path, const std::string& fields) {
        return ask_at(gateway.port(), method, path, fields);
    }

    static std::string ask_at(std::uint16_t port, const std::string& method,
                              const std::string& path, const std::string& fields) {
        test::raw_client client(port);
        client.send(request_text(method, path, fields));
        return client.read_answer();
    }
};

} // namespace

TEST_CASE("a route's answers have its fields, also those the gateway gives itself", "[gateway]") {
    rig with;
    const auto answer = with.ask("GET", "/v1/x", "");
    CHECK_THAT(answer, StartsWith("HTTP/1.1 200") &&
                           ContainsSubstring("X-Content-Type-Options: nosniff\r\n") &&
                           ContainsSubstring("Cache-Control: private\r\n") &&
                           !ContainsSubstring("X-Powered-By"));
    CHECK_THAT(with.ask("GET", "/v1/x", "Authorization: Basic x\r\n"),
               StartsWith("HTTP/1.1 401") &&
                   ContainsSubstring("X-Content-Type-Options: nosniff\r\n"));
    CHECK_THAT(with.ask("GET", "/plain", ""),
               ContainsSubstring("X-Powered-By: steam\r\n") && !ContainsSubstring("nosniff"));
}

TEST_CASE("other pages read answers where the route allows their origin", "[gateway]") {
    rig with;
    const auto allowed = with.ask("GET", "/v1/x", "Origin: https://app.example\r\n");
    CHECK(test::field_of(allowed, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(test::field_of(allowed, "Access-Control-Allow-Credentials") == "true");
    CHECK(test::field_of(allowed, "Access-Control-Expose-Headers") == "X-Request-Id");
    CHECK(test::field_of(allowed, "Vary") == "Origin");
    for (const char* fields : {"", "Origin: https://evil.example\r\n", "Origin: null\r\n"}) {
        const auto other = with.ask("GET", "/v1/x", fields);
        CHECK_THAT(other, StartsWith("HTTP/1.1 200") && !ContainsSubstring("Access-Control"));
        CHECK(test::field_of(other, "Vary") == "Origin");
    }
    // What the gateway refuses can be read, too.
    CHECK_THAT(with.ask("GET", "/v1/x", "Origin: https://app.example\r\nAuthorization: x\r\n"),
               StartsWith("HTTP/1.1 401") &&
                   ContainsSubstring("Access-Control-Allow-Origin: https://app.example\r\n"));
}

TEST_CASE("preflights are answered by the gateway", "[gateway]") {
    rig with;
    const std::string asks = "Access-Control-Request-Method: PUT\r\n"
                             "Access-Control-Request-Headers: authorization\r\n";
    const auto allowed = with.ask("OPTIONS", "/v1/x", "Origin: https://app.example\r\n" + asks);
    CHECK_THAT(allowed, StartsWith("HTTP/1.1 204") && !ContainsSubstring("Content-Length"));
    CHECK(test::field_of(allowed, "Access-Control-Allow-Origin") == "https://app.example");
    CHECK(test::field_of(allowed, "Access-Control-Allow-Methods") == "GET, PUT");
    CHECK(test::field_of(allowed, "Access-Control-Allow-Headers") == "Authorization");
    CHECK(test::field_of(allowed, "Access-Control-Max-Age") == "600");
    CHECK_THAT(test::field_of(allowed, "Vary"), StartsWith("Origin, "));
    CHECK_THAT(with.ask("OPTIONS", "/v1/x", "Origin: https://evil.example\r\n" + asks),
               StartsWith("HTTP/1.1 403") && ContainsSubstring("origin-not-allowed") &&
                   !ContainsSubstring("Access-Control"));
    CHECK(with.origin.requests() == 0);
    // Without CORS rules it is a request like others.
    CHECK_THAT(with.ask("OPTIONS", "/plain", "Origin: https://evil.example\r\n" + asks),
               StartsWith("HTTP/1.1 200"));
    CHECK(with.origin.requests() == 1);
}

TEST_CASE("a listener's answers to https say Strict-Transport-Security, whatever the route",
          "[gateway]") {
    const rig with;
    const std::string by_https = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    for (const char* path : {"/v1/x", "/plain", "/nowhere"}) {
        CHECK_THAT(rig::ask_at(with.balanced, "GET", path, by_https),
                   ContainsSubstring("\r\nStrict-Transport-Security: max-age=60\r\n"));
        CHECK_THAT(rig::ask_at(with.balanced, "GET", path, ""),
                   !ContainsSubstring("Strict-Transport"));
        CHECK_THAT(rig::ask_at(with.gateway.port(), "GET", path, by_https),
                   !ContainsSubstring("Strict-Transport"));
    }
}
