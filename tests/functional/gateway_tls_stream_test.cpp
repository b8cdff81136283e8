#include "ids/encoding.hpp"
#include "support/raw_client.hpp"
#include "support/raw_server.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstdio>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::request_text;
using test::tls_connection;
using test::tls_gateway;
using test::tls_peer_client;

namespace {

constexpr std::size_t megabyte = std::size_t{1024} * 1024;
constexpr std::size_t large = 64 * megabyte;
constexpr std::size_t memory_max = 8 * megabyte; // the body would be five times that
const std::map<std::string, std::string> one_loop{{"RELAIS_LOOPS", "1"}};

void warm(const tls_gateway& with) {
    tls_peer_client client(with.trusting());
    tls_connection connection(client, with.port);
    connection.send(request_text("POST", "/v1/echo", "", std::string(megabyte, 'x')));
    REQUIRE_THAT(connection.read_answer(), StartsWith("HTTP/1.1 200"));
    connection.send(request_text("GET", fmt::format("/v1/bytes?size={}", megabyte)));
    REQUIRE_THAT(connection.read_answer(), StartsWith("HTTP/1.1 200"));
}

std::string run(const std::string& command) {
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

} // namespace

TEST_CASE("64 MiB go both ways over TLS in little memory and whole", "[gateway][tls]") {
    const tls_gateway with("", "", one_loop);
    warm(with);
    const auto before = with.gateway.peak_memory_bytes();
    tls_peer_client client(with.trusting());
    tls_connection connection(client, with.port);
    SECTION("up") {
        const std::string body(large, 'y');
        connection.send(
            fmt::format("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large));
        REQUIRE(connection.send(body));
        CHECK_THAT(
            connection.read_answer(),
            ContainsSubstring(fmt::format("body {} {}\n", large, to_hex(sha256(as_bytes(body))))));
    }
    SECTION("down, read slowly: the service is held back") {
        connection.send(request_text("GET", fmt::format("/v1/bytes?size={}", large)));
        for (int i = 0; i < 5; ++i) { // others are served meanwhile
            warm(with);
        }
        CHECK(with.gateway.peak_memory_bytes() - before < memory_max);
        const auto answer = connection.read_answer();
        CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == std::string(large, 'x'));
    }
    CHECK(with.gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("64 MiB go both ways over HTTP/2 through TLS", "[gateway][tls]") {
    const tls_gateway with("", "", one_loop);
    const auto url = fmt::format("curl -s --http2 --max-time 60 --cacert '{}' --resolve "
                                 "'one.example:{}:127.0.0.1' 'https://one.example:{}/v1",
                                 with.authority.ca_file(), with.port, with.port);
    const auto file = with.folder.write("body", std::string(large, 'z'));
    run(fmt::format("{}/echo' -T '{}'", url,
                    with.folder.write("small", std::string(megabyte, 'z'))));
    const auto before = with.gateway.peak_memory_bytes();
    CHECK_THAT(run(fmt::format("{}/echo' -T '{}'", url, file)),
               ContainsSubstring(fmt::format("body {} {}\n", large,
                                             to_hex(sha256(as_bytes(std::string(large, 'z')))))));
    CHECK(run(fmt::format("{}/bytes?size={}' | tr -d x | wc -c", url, large)) == "0\n");
    CHECK(run(fmt::format("{}/bytes?size={}' | wc -c", url, large)) ==
          std::to_string(large) + "\n");
    CHECK(with.gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("an upload that breaks off is not taken for whole", "[gateway][tls]") {
    const tls_gateway with;
    {
        tls_peer_client client(with.trusting());
        tls_connection connection(client, with.port);
        connection.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nxxx");
    }
    CHECK(with.gateway.wait_for_log(R"("error_reason":"client_disconnect")"));
}

TEST_CASE("a WebSocket goes through TLS, whole in both directions", "[gateway][tls]") {
    const test::raw_server odd([](int number) {
        return number == 1
                   ? test::raw_server::step{"HTTP/1.1 101 Switching Protocols\r\n"
                                            "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                                            "hello"}
                   : test::raw_server::step{"bye", true};
    });
    const test::origin_server web_api;
    const test::certificate_folder folder;
    test::certificate_authority authority(folder, "authority");
    const auto port = test::free_port();
    const test::gateway_process gateway(
        test::routes_for(web_api.port(), odd.port()) +
        test::https_listener(port, {authority.issue("one", {.dns_names = {"one.example"}})}));
    test::peer_settings settings;
    settings.ca_file = authority.ca_file();
    tls_peer_client client(settings);
    tls_connection connection(client, port);
    connection.send(request_text("GET", "/odd/ws",
                                 "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                 "Sec-WebSocket-Key: k\r\n"));
    CHECK_THAT(connection.read_answer(), StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
    REQUIRE(connection.send("GET raw bytes, none of them HTTP \n\r\n\r\n"));
    CHECK(connection.read_all() == "hellobye");
    CHECK(client.saw_close());
    CHECK(odd.seen().at(1) == "GET raw bytes, none of them HTTP \n\r\n\r\n");
}
