#include "support/gateway_process.hpp"
#include "support/h2_frames.hpp"
#include "support/h2_test_client.hpp"
#include "support/origin_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <atomic>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using test::gateway_process;
using test::origin_server;
namespace h2 = relais::test::h2;

namespace {

struct counts {
    std::atomic<int> done{0};
    std::atomic<int> failed{0};
};

/// Requests on one connection, some at a time, until the server says that it ends.
void use_connection(int socket, counts& all) {
    h2::client client(socket);
    std::vector<std::int32_t> streams;
    for (bool open = true; open;) {
        while (streams.size() < 4 && !client.got_goaway()) {
            streams.push_back(client.send(h2::request("/v1/echo", "POST"), 10));
        }
        if (streams.empty()) {
            return;
        }
        const auto& answer = client.wait(streams.front());
        // What is above the last stream was not begun, and may be sent again anywhere (RFC 9113
        // §8.7).
        const bool not_begun = client.got_goaway() && streams.front() > client.goaway_last();
        open = not_begun || answer.status == 200;
        (open ? all.done : all.failed) += not_begun ? 0 : 1;
        streams.erase(streams.begin());
    }
}

/// Until the gateway accepts no more: a load balancer has long gone elsewhere.
void load(std::uint16_t port, counts& all) {
    while (true) {
        int socket = -1;
        try {
            socket = h2::connect_to(port);
        } catch (const std::runtime_error&) {
            return;
        }
        use_connection(socket, all);
    }
}

} // namespace

TEST_CASE("a stop under load fails no request of HTTP/2", "[gateway][h2]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()), {{"RELAIS_DRAIN_DELAY", "300"}});
    counts all;
    std::vector<std::thread> clients;
    clients.reserve(6);
    for (int i = 0; i < 6; ++i) {
        clients.emplace_back([&] { load(gateway.h2c_port(), all); });
    }
    h2::client held(h2::connect_to(gateway.h2c_port()));
    const auto stream = held.send(h2::request("/v1/hold"));
    REQUIRE(held.run([&] { return origin.held() > 0 && all.done > 200; }));
    gateway.terminate();
    REQUIRE(gateway.wait_for_log("drain.started"));
    for (auto& each : clients) {
        each.join();
    }
    CHECK(held.run([&] { return held.got_goaway(); }));
    origin.release();
    const auto& answer = held.wait(stream);
    CHECK(answer.status == 200);
    CHECK(answer.body == "released");
    CHECK(gateway.wait() == 0);
    CHECK(all.failed == 0);
}

TEST_CASE("connections over the limit of an address hear so over HTTP/2", "[gateway][h2]") {
    const origin_server origin;
    const gateway_process gateway(test::routes_for(origin.port()) +
                                  "\nconnections { per_address_max: 1 }\n");
    h2::client first(h2::connect_to(gateway.h2c_port()));
    REQUIRE(first.wait(first.send(h2::request("/v1/echo"))).status == 200);
    h2::client second(h2::connect_to(gateway.h2c_port()));
    const auto& refused = second.wait(second.send(h2::request("/v1/echo")));
    CHECK(refused.status == 429);
    CHECK_THAT(refused.body, ContainsSubstring("connection-limit"));
    CHECK(second.run([&] { return second.got_goaway(); }));
    CHECK(first.wait(first.send(h2::request("/v1/echo"))).status == 200);
}
