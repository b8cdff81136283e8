#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <poll.h>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t body_bytes = 400'000;

void begin_upload(raw_client& client) {
    client.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n");
    client.send(std::string(body_bytes / 4, 'x'));
}

/// Until the gateway says that it knows the upload.
void wait_until_seen(const gateway_process& gateway) {
    for (int i = 0; i < 500; ++i) {
        if (gateway.admin("/live.json").find("\"bytes\":100000,") != std::string::npos) {
            return;
        }
        ::poll(nullptr, 0, 10);
    }
    FAIL("no upload is seen");
}

} // namespace

TEST_CASE("a stop waits for an upload, says for how long, and for nothing else", "[gateway]") {
    origin_server origin;
    // Requests have the usual time, which this upload takes longer than: here both are short.
    gateway_process gateway(test::routes_for(origin.port()),
                            {{"RELAIS_DRAIN_REQUESTS_MAX_MS", "500"}});
    raw_client idle(gateway.port());
    idle.send(request_text("GET", "/v1/echo"));
    REQUIRE_THAT(idle.read_answer(), StartsWith("HTTP/1.1 200"));
    raw_client uploading(gateway.port());
    begin_upload(uploading);
    wait_until_seen(gateway);

    const auto began = steady::now();
    gateway.terminate();
    CHECK(idle.closed_by_peer());
    CHECK(steady::now() - began < 1s);
    for (int i = 0; i < 3; ++i) { // goes on, slowly
        CHECK(gateway.wait_for_log(R"("event":"drain.waiting")"));
        ::poll(nullptr, 0, 400);
        CHECK(uploading.send(std::string(body_bytes / 4, 'x')));
    }
    const auto answer = uploading.read_answer();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 200") && ContainsSubstring("Connection: close"));
    CHECK_THAT(answer, ContainsSubstring("400000"));
    CHECK(steady::now() - began > 1s);
    CHECK(uploading.closed_by_peer());
    CHECK(gateway.wait() == 0);
    CHECK_THAT(gateway.log(), ContainsSubstring(R"("uploads":1,"bytes_left":300000)") &&
                                  ContainsSubstring("drain.finished") &&
                                  !ContainsSubstring("drain.cut_off"));
}

TEST_CASE("an upload that stands still is cut off when the maximum is over", "[gateway]") {
    origin_server origin;
    gateway_process gateway(
        test::routes_for(origin.port()),
        {{"RELAIS_DRAIN_REQUESTS_MAX_MS", "200"}, {"RELAIS_DRAIN_UPLOADS_MAX_MS", "1500"}});
    raw_client stuck(gateway.port());
    begin_upload(stuck);
    wait_until_seen(gateway);
    const auto began = steady::now();
    gateway.terminate();
    CHECK(stuck.closed_by_peer());
    CHECK(gateway.wait() == 0);
    CHECK(steady::now() - began > 1400ms);
    CHECK(steady::now() - began < 10s);
    CHECK_THAT(gateway.log(), ContainsSubstring(R"("event":"drain.cut_off")") &&
                                  ContainsSubstring(R"("uploads":1)"));
}

TEST_CASE("before it stops accepting it says for a while that it is not ready", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()), {{"RELAIS_DRAIN_DELAY", "1500"}});
    const auto began = steady::now();
    gateway.terminate();
    REQUIRE(gateway.wait_for_log("drain.started"));
    CHECK_THAT(gateway.admin("/readyz"),
               StartsWith("HTTP/1.1 503") && ContainsSubstring("\"phase\":\"draining\""));
    raw_client late(gateway.port()); // who has not heard of it yet
    late.send(request_text("GET", "/v1/echo"));
    CHECK_THAT(late.read_answer(),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("Connection: close"));
    CHECK(gateway.wait() == 0);
    CHECK(steady::now() - began > 1400ms);
}
