#include "support/gateway_process.hpp"
#include "support/h2_test_client.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::raw_server;
namespace h2 = relais::test::h2;

namespace {

const std::map<std::string, std::string> one_loop{{"RELAIS_LOOPS", "1"}};

/// Before a service that answers as soon as it has the head. What it then gets of a body without a
/// length, it takes for its second request.
struct rig {
    explicit rig(const std::string& answer)
        : odd([answer](int number) { return raw_server::step{number == 1 ? answer : ""}; }),
          gateway(test::routes_for(origin.port(), odd.port()), one_loop) {}

    /// The body as it came, all but its framing.
    std::string body() const {
        while (odd.seen().size() < 2) {}
        return odd.seen()[1];
    }

    origin_server origin;
    raw_server odd;
    gateway_process gateway;
};

} // namespace

TEST_CASE("an upload goes on behind an early answer", "[gateway]") {
    rig with("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nhi");
    raw_client client(with.gateway.port());
    client.send(
        "POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 202") && ContainsSubstring("\r\nConnection: close\r\n"));
    client.send("4\r\nlast\r\n0\r\n\r\n");
    CHECK_THAT(with.body(),
               ContainsSubstring("\r\nfirst\r\n") && ContainsSubstring("\r\nlast\r\n"));
    CHECK(client.read_all().empty());
    CHECK(with.gateway.wait_for_log(R"("status":202)"));
    CHECK_THAT(with.gateway.log(), ContainsSubstring(R"("request_bytes":9,)") &&
                                       !ContainsSubstring("client_disconnect"));
    // And the connection to the service carries the next request.
    raw_client next(with.gateway.port());
    next.send(test::request_text("GET", "/odd"));
    while (with.odd.seen().size() < 3) {}
    CHECK(with.odd.connections() == 1);
}

TEST_CASE("an upload of HTTP/2 goes on behind an early answer", "[gateway][h2]") {
    rig with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    h2::client client(h2::connect_to(with.gateway.h2c_port()));
    constexpr std::size_t bytes = 3'000'000;
    const auto& answer = client.wait(client.send(h2::request("/odd", "PUT"), bytes));
    CHECK(answer.status == 200);
    CHECK(answer.whole);
    CHECK(answer.reset_code == 0);
    CHECK(std::ranges::count(with.body(), 'x') == bytes);
}

TEST_CASE("a service that closes behind its early answer gets no more", "[gateway]") {
    rig with("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
    raw_client client(with.gateway.port());
    client.send(
        "POST /odd HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK(with.gateway.wait_for_log(R"("status":200)")); // it is over
    client.send("4\r\nlast\r\n0\r\n\r\n");
    CHECK(client.read_all().empty());
    CHECK(with.odd.seen().size() == 1);
}

TEST_CASE("who takes an answer slowly keeps nobody from a service that has given it",
          "[gateway][h2]") {
    const origin_server origin;
    const gateway_process gateway(fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}"
           requests_max: 1 waiting_max: 0 }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_FORWARD deadline_ms: 10000
        body_max_bytes: 1000 }}
)",
                                              origin.port()),
                                  one_loop);
    h2::client::settings how;
    how.open_windows = false;
    how.stream_window = 100;
    h2::client slow(h2::connect_to(gateway.h2c_port()), how);
    const auto held = slow.send(h2::request("/v1/bytes?size=500"));
    REQUIRE(slow.run([&] { return slow.at(held).body_bytes == 100; }));
    h2::client other(h2::connect_to(gateway.h2c_port()));
    for (int i = 0; i < 5; ++i) {
        CHECK(other.wait(other.send(h2::request("/v1/echo"))).status == 200);
    }
    CHECK_FALSE(slow.at(held).whole);
    slow.reset(held);
    CHECK(other.wait(other.send(h2::request("/v1/echo"))).status == 200);
}
