#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::raw_client;
using test::tls_connection;
using test::tls_gateway;
using test::tls_peer_client;

namespace {

std::string request(const std::string& host, const std::string& target,
                    const std::string& fields = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
}

std::string ask(std::uint16_t port, const std::string& text) {
    raw_client client(port);
    client.send(text);
    return client.read_answer();
}

std::string ask_secure(const tls_gateway& with, const std::string& text) {
    tls_peer_client client(with.trusting());
    tls_connection connection(client, with.port);
    connection.send(text);
    return connection.read_answer();
}

} // namespace

TEST_CASE("requests are sent to https and to the one name", "[gateway][tls]") {
    const auto plain = test::free_port();
    const std::string www = "redirect { host: \"www.shop.example\" to_host: \"shop.example\" "
                            "to_https: true status: 301 } ";
    const tls_gateway with(
        www + "strict_transport_security { max_age_s: 31536000 include_subdomains: true "
              "preload: true }",
        fmt::format("client_address {{ trusted: \"127.0.0.2\" }}\n"
                    "listener {{ address: \"127.0.0.1:{}\" protocol: PROTOCOL_HTTP {} redirect {{ "
                    "to_https: true to_port: 8443 except_prefix: \"/.well-known\" }} "
                    "strict_transport_security {{ max_age_s: 5 }} }}",
                    plain, www));
    const auto there = [&](const std::string& text, const std::string& status,
                           const std::string& place) {
        CHECK_THAT(text, StartsWith("HTTP/1.1 " + status) &&
                             ContainsSubstring("Location: " + place + "\r\n"));
    };
    there(ask(plain, request("shop.example:8080", "/v1/echo?a=b&c=%20")), "308",
          "https://shop.example:8443/v1/echo?a=b&c=%20");
    there(ask(plain, request("WWW.shop.example", "/")), "301", "https://shop.example/");
    // A client cannot say that it came by https, nor choose where it is sent.
    there(ask(plain, request("shop.example", "/", "X-Forwarded-Proto: https\r\n")), "308",
          "https://shop.example:8443/");
    there(ask(plain, request("[::1]:80", "/x")), "308", "https://[::1]:8443/x");
    CHECK_THAT(ask(plain, request("shop.example", "/.well-known/acme-challenge/x")),
               StartsWith("HTTP/1.1 404") && !ContainsSubstring("Strict-Transport"));
    CHECK_THAT(ask(plain, request("a\tb", "/")), StartsWith("HTTP/1.1 400"));

    there(ask_secure(with, request("www.shop.example", "/a?b")), "301", "https://shop.example/a?b");
    const std::string security =
        "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n";
    CHECK_THAT(ask_secure(with, request("shop.example", "/v1/echo")),
               StartsWith("HTTP/1.1 200") && ContainsSubstring(security));
    CHECK_THAT(ask_secure(with, request("shop.example", "/nowhere")),
               StartsWith("HTTP/1.1 404") && ContainsSubstring(security));
}

TEST_CASE("HTTP without TLS on a TLS port is told so", "[gateway][tls]") {
    SECTION("by 400") {
        const tls_gateway with;
        raw_client client(with.port);
        client.send(request("one.example", "/v1/echo") + request("one.example", "/v1/echo"));
        const auto answer = client.read_all();
        CHECK_THAT(answer, StartsWith("HTTP/1.1 400") && ContainsSubstring("problems/plain-http") &&
                               ContainsSubstring("Connection: close\r\n"));
        CHECK(answer.find("HTTP/1.1", 10) == std::string::npos);
        CHECK(with.origin.requests() == 0);
        CHECK(with.metric("gateway_arrival_failures_total{reason=\"plain_http\"}") == 1);
    }
    SECTION("by the way to https") {
        const tls_gateway with("redirect_plain_http: true");
        CHECK_THAT(ask(with.port, request("one.example:8443", "/v1/echo?x=y")),
                   StartsWith("HTTP/1.1 308") &&
                       ContainsSubstring("Location: https://one.example:8443/v1/echo?x=y\r\n"));
    }
    SECTION("what is neither gets nothing") {
        const tls_gateway with;
        raw_client client(with.port);
        client.send("SSH-2.0-x\r\n");
        CHECK(client.read_all().empty());
        CHECK(with.metric("gateway_arrival_failures_total{reason=\"not_tls\"}") == 1);
    }
}

TEST_CASE("a handshake that takes too long ends, others go on", "[gateway][tls]") {
    const tls_gateway with("handshake_timeout_ms: 200");
    raw_client silent(with.port);
    raw_client slow(with.port);
    slow.send("\x16\x03\x01");
    CHECK_THAT(ask_secure(with, request("one.example", "/v1/echo")), StartsWith("HTTP/1.1 200"));
    CHECK(silent.closed_by_peer());
    CHECK(slow.closed_by_peer());
    CHECK(with.metric("gateway_arrival_failures_total{reason=\"timeout\"}") == 2);
}

TEST_CASE("a request for a host that another certificate serves", "[gateway][tls]") {
    SECTION("is misdirected where the listener is strict") {
        const tls_gateway with("strict_server_name: true");
        CHECK_THAT(ask_secure(with, request("two.example", "/v1/echo")),
                   StartsWith("HTTP/1.1 421") && ContainsSubstring("problems/misdirected"));
        CHECK_THAT(ask_secure(with, request("ONE.example:8443", "/v1/echo")),
                   StartsWith("HTTP/1.1 200"));
        // Nobody else serves it.
        CHECK_THAT(ask_secure(with, request("three.example", "/v1/echo")),
                   StartsWith("HTTP/1.1 200"));
    }
    SECTION("is served elsewhere") {
        const tls_gateway with;
        CHECK_THAT(ask_secure(with, request("two.example", "/v1/echo")),
                   StartsWith("HTTP/1.1 200"));
    }
}
