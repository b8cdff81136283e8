#include "ids/encoding.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <thread>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

constexpr std::size_t megabyte = std::size_t{1024} * 1024;
constexpr std::size_t large = 64 * megabyte;
/// What moving a body of any size may cost at most; the body itself would be five times that. Most
/// of it are the clients of a broker that is away.
constexpr std::size_t memory_max = 8 * megabyte;

/// So that one request warms all of it.
const std::map<std::string, std::string> one_loop{{"RELAIS_LOOPS", "1"}};

std::string warm(gateway_process& gateway) {
    raw_client client(gateway.port());
    client.send(request_text("POST", "/v1/echo", "", std::string(megabyte, 'x')));
    return client.read_answer();
}

} // namespace

TEST_CASE("an upload of 64 MiB goes through in little memory and whole", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()), one_loop);
    REQUIRE_THAT(warm(gateway), StartsWith("HTTP/1.1 200"));
    const auto before = gateway.peak_memory_bytes();
    const std::string body(large, 'y');
    const auto expected = fmt::format("body {} {}\n", large, to_hex(sha256(as_bytes(body))));
    SECTION("of known length") {
        raw_client client(gateway.port());
        client.send(
            fmt::format("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large));
        REQUIRE(client.send(body));
        CHECK_THAT(client.read_answer(), ContainsSubstring(expected));
    }
    SECTION("in chunks") {
        raw_client client(gateway.port());
        client.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::size_t i = 0; i < 64; ++i) {
            REQUIRE(client.send("100000\r\n"));
            REQUIRE(client.send(std::string_view(body).substr(i * megabyte, megabyte)));
            REQUIRE(client.send("\r\n"));
        }
        client.send("0\r\n\r\n");
        CHECK_THAT(client.read_answer(), ContainsSubstring(expected));
    }
    CHECK(gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("a client that reads slowly holds the service back, not the gateway's memory",
          "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()), one_loop);
    REQUIRE_THAT(warm(gateway), StartsWith("HTTP/1.1 200"));
    const auto before = gateway.peak_memory_bytes();
    raw_client slow(gateway.port());
    slow.send(request_text("GET", fmt::format("/v1/bytes?size={}", large)));
    // Others are served meanwhile.
    for (int i = 0; i < 20; ++i) {
        REQUIRE_THAT(warm(gateway), StartsWith("HTTP/1.1 200"));
    }
    CHECK(gateway.peak_memory_bytes() - before < memory_max);
    const auto answer = slow.read_answer();
    CHECK(answer.size() - answer.find("\r\n\r\n") - 4 == large);
    CHECK(gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("a client that goes away in the middle is a 499 in the log", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxxx");
    client.reset();
    CHECK(gateway.wait_for_log(R"("error_reason":"client_disconnect")"));
    CHECK_THAT(gateway.log(), ContainsSubstring(R"("status":499)"));
    CHECK_THAT(warm(gateway), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("100-continue is the gateway's to say", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    client.send(
        "PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.read_answer() == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi");
    CHECK_THAT(client.read_answer(), ContainsSubstring("body 2 ") && !ContainsSubstring("expect"));
}

namespace {

/// Sends requests until the gateway accepts no more. Gives what was no proper answer.
std::optional<std::string> load(std::uint16_t port, std::atomic<int>& done) {
    while (true) {
        std::unique_ptr<raw_client> client;
        try {
            client = std::make_unique<raw_client>(port);
        } catch (const std::runtime_error&) {
            return std::nullopt; // it does not listen any more: a load balancer is elsewhere
        }
        int asked = 0;
        for (bool open = true; open;) {
            ++asked;
            client->send(request_text("POST", "/v1/echo", "", "x"));
            const auto answer = client->read_answer();
            if (!answer.starts_with("HTTP/1.1 200")) {
                return fmt::format("request {} on a connection: '{}'", asked, answer);
            }
            ++done;
            open = answer.find("Connection: close") == std::string::npos;
        }
    }
}

} // namespace

TEST_CASE("a stop under load fails no request", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()), {{"RELAIS_DRAIN_DELAY", "300"}});
    std::atomic<int> done{0};
    std::vector<std::future<std::optional<std::string>>> clients;
    clients.reserve(8);
    for (int i = 0; i < 8; ++i) {
        clients.push_back(
            std::async(std::launch::async, [&] { return load(gateway.port(), done); }));
    }
    raw_client held(gateway.port());
    held.send(request_text("GET", "/v1/hold"));
    while (done < 200 || origin.held() == 0) {
        ::poll(nullptr, 0, 5);
    }
    gateway.terminate();
    REQUIRE(gateway.wait_for_log("drain.started"));
    CHECK_THAT(gateway.admin("/readyz"), StartsWith("HTTP/1.1 503"));
    for (auto& each : clients) {
        CHECK(each.get().value_or("") == "");
    }
    origin.release(); // the listener is closed: the request from before is still answered
    CHECK_THAT(held.read_answer(), StartsWith("HTTP/1.1 200") && ContainsSubstring("released"));
    CHECK(gateway.wait() == 0);
}
