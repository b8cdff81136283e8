#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <array>
#include <cstdio>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::request_text;
using test::tls_connection;
using test::tls_gateway;
using test::tls_peer_client;

namespace {

/// What curl prints, asking https://one.example.
std::string curl(const tls_gateway& to, const std::string& arguments) {
    const auto command =
        fmt::format("curl -s --max-time 20 --cacert '{}' --resolve 'one.example:{}:127.0.0.1' "
                    "'https://one.example:{}'{} 2>&1",
                    to.authority.ca_file(), to.port, to.port, arguments);
    // NOLINTNEXTLINE(cert-env33-c): a fixed program, arguments of this file
    FILE* output = ::popen(command.c_str(), "r");
    REQUIRE(output != nullptr);
    std::string text;
    std::array<char, 4096> bytes{};
    while (const auto count = std::fread(bytes.data(), 1, bytes.size(), output)) {
        text.append(bytes.data(), count);
    }
    ::pclose(output);
    return text;
}

std::string ask(const tls_gateway& with, tls_peer_client& client, const std::string& name = "") {
    tls_connection connection(client, with.port, name);
    REQUIRE(connection.secured());
    connection.send(request_text("GET", "/v1/echo"));
    return connection.read_answer();
}

} // namespace

TEST_CASE("HTTP/1.1 and HTTP/2 over TLS, as ALPN settles it", "[gateway][tls]") {
    const tls_gateway with;
    CHECK_THAT(curl(with, "/v1/echo -i --http2 -d hello"),
               StartsWith("HTTP/2 200") && ContainsSubstring("X-Forwarded-Proto: https\n") &&
                   ContainsSubstring("Via: 2.0 relais") && ContainsSubstring("body 5 "));
    CHECK_THAT(curl(with, "/v1/echo -i --http1.1 -d hello"),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("X-Forwarded-Proto: https\n") &&
                   ContainsSubstring("body 5 "));
    tls_peer_client client(with.trusting());
    tls_connection connection(client, with.port);
    REQUIRE(connection.secured());
    CHECK(client.alpn().empty());
    for (int i = 0; i < 3; ++i) {
        connection.send(request_text("GET", "/v1/echo"));
        REQUIRE_THAT(connection.read_answer(), StartsWith("HTTP/1.1 200"));
    }
    connection.send("GET /v1/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK_THAT(connection.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK(connection.closed_in_order());
}

TEST_CASE("the certificate is the one for the name, other versions are refused", "[gateway][tls]") {
    const tls_gateway with;
    tls_peer_client client(with.trusting());
    CHECK_THAT(ask(with, client, "two.example"), StartsWith("HTTP/1.1 200"));
    CHECK(client.certificate_name() == "two.example");
    tls_peer_client stranger(with.trusting());
    CHECK_THAT(ask(with, stranger, "three.example"), StartsWith("HTTP/1.1 200"));
    CHECK(stranger.certificate_name() == "one.example");

    auto old = with.trusting();
    old.version_min = old.version_max = 0x0302; // TLS 1.1
    tls_peer_client outdated(old);
    const tls_connection refused(outdated, with.port);
    CHECK_FALSE(refused.secured());
    CHECK(with.metric("gateway_arrival_failures_total{reason=\"unsupported_version\"}") == 1);
    auto twelve = with.trusting();
    twelve.version_max = 0x0303;
    tls_peer_client still_good(twelve);
    CHECK_THAT(ask(with, still_good), StartsWith("HTTP/1.1 200"));
    CHECK(with.metric(
              R"(gateway_tls_handshakes_total{result="done",resumed="no",version="TLSv1.2"})") ==
          1);
}
