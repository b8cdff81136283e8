#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::raw_client;
using test::request_text;

namespace {

const std::string version_1 = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
const std::string
    version_2("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67"
              "\x01\xbb",
              28);
const std::string local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
const std::string forged = "PROXY TCP4 1.2.3.4.5 x 1 1\r\n";

std::string plain_listener(std::uint16_t port, const std::string& more) {
    return fmt::format("listener {{ address: \"127.0.0.1:{}\" protocol: PROTOCOL_HTTP {} }}\n",
                       port, more);
}

std::string trusting(const std::string& whom) {
    return "client_address { trusted: \"" + whom + "\" }\n";
}

/// What a connection that begins with this gets.
std::string ask(std::uint16_t port, const std::string& before,
                const std::string& fields = "X-Forwarded-For: 9.9.9.9\r\n") {
    raw_client client(port);
    client.send(before);
    client.send(request_text("GET", "/v1/echo", fields));
    return client.read_answer();
}

} // namespace

TEST_CASE("who speaks PROXY is believed by the listener's rule", "[gateway][tls]") {
    const test::origin_server origin;
    const auto port = test::free_port();
    const auto routes = [&](const std::string& whom, const std::string& policy) {
        return test::routes_for(origin.port()) + trusting(whom) +
               plain_listener(port, "proxy_protocol: PROXY_PROTOCOL_" + policy +
                                        " handshake_timeout_ms: 300");
    };
    SECTION("a trusted peer, where it has to be one") {
        const gateway_process gateway(routes("127.0.0.0/8", "REQUIRED"));
        for (const auto& header : {version_1, version_2}) {
            CHECK_THAT(ask(port, header), ContainsSubstring("X-Forwarded-For: 192.0.2.7\n"));
        }
        CHECK_THAT(ask(port, local), ContainsSubstring("X-Forwarded-For: 127.0.0.1\n"));
        CHECK(ask(port, "").empty());
        CHECK(ask(port, forged).empty());
        raw_client silent(port);
        silent.send("PROXY TCP4 192.");
        CHECK(silent.closed_by_peer());
        const auto page = gateway.admin("/metrics");
        CHECK_THAT(page,
                   ContainsSubstring(R"(gateway_arrival_failures_total{reason="proxy_header"} 2)"));
        CHECK_THAT(page,
                   ContainsSubstring(R"(gateway_arrival_failures_total{reason="timeout"} 1)"));
    }
    SECTION("one byte after the other, and a request behind it") {
        const gateway_process gateway(routes("127.0.0.1", "TRUSTED"));
        raw_client client(port);
        for (const char each : version_2) {
            client.send({&each, 1});
        }
        client.send(request_text("GET", "/v1/echo"));
        CHECK_THAT(client.read_answer(), ContainsSubstring("X-Forwarded-For: 192.0.2.7\n"));
    }
    SECTION("a stranger, where nobody else may come") {
        const gateway_process gateway(routes("10.0.0.0/8", "REQUIRED"));
        for (const auto& header : {version_1, version_2, std::string()}) {
            CHECK(ask(port, header).empty());
        }
        CHECK_THAT(
            gateway.admin("/metrics"),
            ContainsSubstring(R"(gateway_arrival_failures_total{reason="untrusted_peer"} 3)"));
    }
    SECTION("a stranger among others") {
        const gateway_process gateway(routes("10.0.0.0/8", "TRUSTED"));
        CHECK_THAT(ask(port, version_1), StartsWith("HTTP/1.1 400"));
        CHECK_THAT(ask(port, version_2), StartsWith("HTTP/1.1 400"));
        CHECK_THAT(ask(port, ""), ContainsSubstring("X-Forwarded-For: 127.0.0.1\n"));
    }
    SECTION("anybody, where it is off") {
        const gateway_process gateway(routes("127.0.0.1", "OFF"));
        CHECK_THAT(ask(port, version_1), StartsWith("HTTP/1.1 400"));
        CHECK_THAT(ask(port, ""), StartsWith("HTTP/1.1 200"));
    }
}

TEST_CASE("the address of a PROXY header is not a proxy of ours", "[gateway][tls]") {
    const test::origin_server origin;
    const auto port = test::free_port();
    const gateway_process gateway(
        test::routes_for(origin.port()) +
        "client_address { trusted: \"127.0.0.1\" source: ADDRESS_SOURCE_X_FORWARDED_FOR "
        "proxy_protocol: true }\n" +
        plain_listener(port, ""));
    // Its own field is a stranger's; without a header nobody says who it is.
    CHECK_THAT(ask(port, version_1),
               ContainsSubstring("X-Forwarded-For: 192.0.2.7\n") && !ContainsSubstring("9.9.9.9"));
    CHECK_THAT(ask(port, local), ContainsSubstring("X-Forwarded-For: 9.9.9.9\n"));
}

TEST_CASE("a PROXY header comes before TLS", "[gateway][tls]") {
    const test::tls_gateway with("proxy_protocol: PROXY_PROTOCOL_REQUIRED", trusting("127.0.0.1"));
    for (const auto& header : {version_1, version_2}) {
        test::tls_peer_client client(with.trusting());
        test::tls_connection connection(client, with.port, "", header);
        REQUIRE(connection.secured());
        connection.send(request_text("GET", "/v1/echo"));
        CHECK_THAT(connection.read_answer(), ContainsSubstring("X-Forwarded-For: 192.0.2.7\n") &&
                                                 ContainsSubstring("X-Forwarded-Proto: https\n"));
    }
    test::tls_peer_client client(with.trusting());
    const test::tls_connection bare(client, with.port);
    CHECK_FALSE(bare.secured());
}
