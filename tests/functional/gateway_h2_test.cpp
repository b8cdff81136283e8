#include "ids/encoding.hpp"
#include "support/gateway_process.hpp"
#include "support/h2_frames.hpp"
#include "support/h2_test_client.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <poll.h>
#include <string>
#include <thread>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
namespace h2 = relais::test::h2;

namespace {

constexpr std::size_t megabyte = std::size_t{1024} * 1024;
constexpr std::size_t large = 64 * megabyte;
constexpr std::size_t memory_max = 8 * megabyte;

const std::map<std::string, std::string> one_loop{{"RELAIS_LOOPS", "1"}};

/// What curl prints.
std::string curl(const std::string& arguments) {
    const auto command = "curl -s --max-time 20 --http2-prior-knowledge " + arguments;
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

h2::client::settings patient() {
    h2::client::settings how;
    how.patience = std::chrono::seconds(60);
    return how;
}

struct rig {
    origin_server origin;
    gateway_process gateway;

    explicit rig(const std::map<std::string, std::string>& variables = {})
        : gateway(test::routes_for(origin.port()), variables) {}

    int connect() const {
        return h2::connect_to(gateway.h2c_port());
    }

    std::string url(const std::string& path) const {
        return fmt::format("'http://127.0.0.1:{}{}'", gateway.h2c_port(), path);
    }

    double events(const std::string& name) const {
        const auto page = gateway.admin("/metrics");
        const auto at = page.find("gateway_http2_events_total{event=\"" + name + "\"} ");
        return at == std::string::npos ? -1 : std::stod(page.substr(page.find("} ", at) + 2));
    }
};

} // namespace

TEST_CASE("curl speaks HTTP/2, services hear HTTP/1.1", "[gateway][h2]") {
    const rig with;
    const auto answer = curl("-i " + with.url("/v1/x/../echo?a=b") +
                             " -H 'Authorization: Bearer good' -H 'X-Forwarded-For: 9.9.9.9' "
                             "-H 'X_Forwarded_For: 9.9.9.9' -H 'TE: trailers' -d hello");
    CHECK_THAT(answer, StartsWith("HTTP/2 200") && ContainsSubstring("POST /v1/echo?a=b\n"));
    CHECK_THAT(
        answer,
        ContainsSubstring("Via: 2.0 relais") && ContainsSubstring("X-Forwarded-For: 127.0.0.1\n") &&
            ContainsSubstring(fmt::format("Host: 127.0.0.1:{}\n", with.gateway.h2c_port())) &&
            ContainsSubstring("Content-Length: 5\n"));
    CHECK_THAT(answer, !ContainsSubstring("9.9.9.9") && !ContainsSubstring("trailers") &&
                           !ContainsSubstring("connection: "));
    CHECK_THAT(answer, ContainsSubstring("X-Relais-Identity: "));
    CHECK_THAT(curl("-I " + with.url("/v1/echo")), StartsWith("HTTP/2 200"));
    CHECK_THAT(curl("-i " + with.url("/nowhere")), StartsWith("HTTP/2 404"));
    CHECK_THAT(curl("-i -H 'Authorization: Bearer bad' " + with.url("/v1/echo")),
               StartsWith("HTTP/2 401") && ContainsSubstring("www-authenticate: Bearer"));
}

TEST_CASE("an upload of unknown length reaches the service in chunks", "[gateway][h2]") {
    const rig with;
    h2::client client(with.connect());
    const auto& answer = client.wait(client.send(h2::request("/v1/echo", "PUT"), 100'000));
    CHECK_THAT(answer.body, ContainsSubstring("Transfer-Encoding: chunked\n") &&
                                ContainsSubstring("body 100000 "));
}

TEST_CASE("64 MiB go both ways over HTTP/2 in little memory and whole", "[gateway][h2]") {
    const rig with(one_loop);
    h2::client client(with.connect(), patient());
    REQUIRE(client.wait(client.send(h2::request("/v1/echo", "PUT"), 4 * megabyte)).status == 200);
    const auto before = with.gateway.peak_memory_bytes();
    SECTION("up") {
        const auto& answer = client.wait(client.send(h2::request("/v1/echo", "PUT"), large));
        const std::string body(large, 'x');
        CHECK_THAT(answer.body, ContainsSubstring(fmt::format("body {} {}\n", large,
                                                              to_hex(sha256(as_bytes(body))))));
    }
    SECTION("down") {
        const auto& answer =
            client.wait(client.send(h2::request(fmt::format("/v1/bytes?size={}", large))));
        CHECK(answer.whole);
        CHECK(answer.body == std::string(large, 'x'));
    }
    CHECK(with.gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("streams that stand still hold up no others, nor memory", "[gateway][h2]") {
    const rig with(one_loop);
    auto how = patient();
    how.open_windows = false;
    h2::client slow(with.connect(), how);
    h2::client other(with.connect(), patient());
    REQUIRE(other.wait(other.send(h2::request("/v1/echo", "PUT"), 4 * megabyte)).status == 200);
    const auto before = with.gateway.peak_memory_bytes();
    std::vector<std::int32_t> streams;
    for (int i = 0; i < 8; ++i) {
        streams.push_back(slow.send(h2::request(fmt::format("/v1/bytes?size={}", 8 * megabyte))));
    }
    const auto last = streams.front();
    REQUIRE(slow.run([&] { return slow.at(last).body_bytes > 0; }));
    for (int i = 0; i < 20; ++i) {
        REQUIRE(other.wait(other.send(h2::request("/v1/echo"))).status == 200);
    }
    CHECK(with.gateway.peak_memory_bytes() - before < memory_max);
}

TEST_CASE("what is wrong with a request of HTTP/2 is logged and counted", "[gateway][h2]") {
    const rig with;
    h2::client client(with.connect());
    auto fields = h2::request("/v1/echo");
    fields.emplace_back("transfer-encoding", "chunked");
    const auto& answer = client.wait(client.send(fields));
    CHECK(answer.status == 0);
    CHECK(answer.reset_code == 1);
    CHECK(with.gateway.wait_for_log(R"("error_reason":"protocol_error")"));
    CHECK(with.events("malformed_request") == 1);
    // Tunnels are not offered (RFC 8441), in no form.
    const h2::field_list tunnel{{":method", "CONNECT"},
                                {":protocol", "websocket"},
                                {":scheme", "http"},
                                {":path", "/v1/echo"},
                                {":authority", "a"}};
    CHECK(client.wait(client.send(tunnel)).reset_code == 1);
    CHECK(client.wait(client.send({{":method", "CONNECT"}, {":authority", "a:1"}})).status == 501);
    CHECK(client.wait(client.send(h2::request("/v1/echo", "PROPFIND"))).status == 501);
    CHECK(client.wait(client.send(h2::request("/webhooks/echo"))).status == 405);
    fields = h2::request("/v1/echo");
    fields.emplace_back("x-large", std::string(17'000, 'a'));
    CHECK(client.wait(client.send(fields)).status == 431);
    CHECK(client.wait(client.send(h2::request("/v1/echo"))).status == 200);
    CHECK(with.origin.requests() == 1);
}

TEST_CASE("a refusal reaches a client of HTTP/2 that still sends", "[gateway][h2]") {
    const rig with;
    h2::client client(with.connect());
    const auto& answer = client.wait(client.send(h2::request("/v1/echo/small", "PUT"), large));
    CHECK(answer.status == 413);
    CHECK(answer.whole);
    CHECK_THAT(answer.body, ContainsSubstring("body-too-large"));
    CHECK(client.wait(client.send(h2::request("/v1/echo"))).status == 200);
}

TEST_CASE("a stream that is taken back is a 499 in the log", "[gateway][h2]") {
    const rig with;
    h2::client client(with.connect());
    const auto held = client.send(h2::request("/v1/hold"));
    REQUIRE(client.run([&] { return with.origin.held() == 1; }));
    client.reset(held);
    CHECK(client.wait(client.send(h2::request("/v1/echo"))).status == 200);
    CHECK(with.gateway.wait_for_log(R"("error_reason":"client_disconnect")"));
    CHECK_THAT(with.gateway.log(), ContainsSubstring(R"("status":499)"));
}

TEST_CASE("early hints go on over HTTP/2", "[gateway][h2]") {
    const origin_server origin;
    const test::raw_server odd([](int) {
        return test::raw_server::step{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                                      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
    });
    const gateway_process gateway(test::routes_for(origin.port(), odd.port()));
    h2::client client(h2::connect_to(gateway.h2c_port()));
    const auto& answer = client.wait(client.send(h2::request("/odd")));
    CHECK(answer.interim == std::vector{103});
    CHECK(answer.status == 200);
    CHECK(answer.body == "ok");
}

TEST_CASE("an answer that a service breaks off is a reset stream", "[gateway][h2]") {
    const origin_server origin;
    const test::raw_server odd([](int) {
        return test::raw_server::step{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true};
    });
    const gateway_process gateway(test::routes_for(origin.port(), odd.port()));
    h2::client client(h2::connect_to(gateway.h2c_port()));
    const auto& answer = client.wait(client.send(h2::request("/odd")));
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.whole);
    CHECK(answer.reset_code == 2);
    CHECK(client.wait(client.send(h2::request("/v1/echo"))).status == 200);
}

TEST_CASE("attacks end their connection and nothing else", "[gateway][h2]") {
    const rig with;
    h2::client bystander(with.connect());
    REQUIRE(bystander.wait(bystander.send(h2::request("/v1/echo"))).status == 200);
    std::string bytes = h2::hello();
    std::string event;
    SECTION("rapid reset (CVE-2023-44487)") {
        event = "rapid_reset";
        for (std::uint32_t i = 0; i < 1'000; ++i) {
            bytes += h2::get(1 + 2 * i, "/v1/echo") +
                     h2::frame(h2::rst_stream, 0, 1 + 2 * i, h2::number(8));
        }
    }
    SECTION("resets provoked (CVE-2025-8671)") {
        event = "rapid_reset";
        for (std::uint32_t i = 0; i < 300; ++i) {
            bytes += h2::get(1 + 2 * i, "/v1/hold") +
                     h2::frame(h2::window_update, 0, 1 + 2 * i, h2::number(0x7fffffff));
        }
    }
    SECTION("CONTINUATION without end (CVE-2024-27316)") {
        event = "continuation_flood";
        bytes += h2::frame(h2::headers, 0, 1, h2::block(h2::request("/v1/echo")));
        for (int i = 0; i < 1'000; ++i) {
            bytes += h2::frame(h2::continuation, 0, 1, h2::block({{"x", "y"}}));
        }
    }
    SECTION("PING (CVE-2019-9512)") {
        event = "ping_flood";
        for (int i = 0; i < 1'000; ++i) {
            bytes += h2::frame(h2::ping, 0, 0, "12345678");
        }
    }
    SECTION("SETTINGS (CVE-2019-9515)") {
        event = "settings_flood";
        for (int i = 0; i < 1'000; ++i) {
            bytes += h2::frame(h2::settings, 0, 0, "");
        }
    }
    SECTION("empty frames (CVE-2019-9518)") {
        event = "empty_data_flood";
        bytes +=
            h2::frame(h2::headers, h2::end_headers, 1, h2::block(h2::request("/v1/echo", "PUT")));
        for (int i = 0; i < 1'000; ++i) {
            bytes += h2::frame(h2::data, 0, 1, "");
        }
    }
    h2::raw_client attacker(with.connect());
    attacker.send(bytes);
    CHECK(attacker.goaway_code() == 0xb);
    CHECK(with.events(event) == 1);
    CHECK(with.gateway.wait_for_log(R"("error_reason":"http2_abuse")"));
    CHECK(bystander.wait(bystander.send(h2::request("/v1/echo"))).status == 200);
}
