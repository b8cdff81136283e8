#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"
#include "support/raw_server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <poll.h>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::origin_server;
using test::request_text;

namespace {

/// One loop before two instances of a service that hold requests until they are released.
struct rig {
    explicit rig(int hedge_after_ms)
        : gateway(fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL"
           default_url: "http://127.0.0.1:{},http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE hedge_after_ms: {}
        deadline_ms: 10000 body_max_bytes: 1000 }}
)",
                              one.port(), other.port(), hedge_after_ms),
                  {{"RELAIS_LOOPS", "1"}}),
          client(gateway.port()) {}

    int held() const {
        return one.held() + other.held();
    }

    bool wait_for_held(int count) const {
        for (int i = 0; i < 500 && held() < count; ++i) {
            ::poll(nullptr, 0, 10);
        }
        return held() == count;
    }

    origin_server one;
    origin_server other;
    test::gateway_process gateway;
    test::raw_client client;
};

} // namespace

TEST_CASE("a request that takes its time is sent to a second instance", "[gateway]") {
    rig with(50);
    with.client.send(request_text("GET", "/v1/hold"));
    REQUIRE(with.wait_for_held(2));
    CHECK(with.one.held() == 1);
    SECTION("either may answer") {
        with.one.release();
    }
    SECTION("or the other") {
        with.other.release();
    }
    CHECK_THAT(with.client.read_answer(),
               StartsWith("HTTP/1.1 200") && ContainsSubstring("released"));
    // The connection is good for more, and so is what is left of the instances' connections.
    with.client.send(request_text("GET", "/v1/echo"));
    CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(
        with.gateway.admin("/metrics"),
        ContainsSubstring("gateway_upstream_hedges_total{result=\"sent\",upstream=\"web-api\"} 1"));
}

TEST_CASE("what changes something is sent to one instance", "[gateway]") {
    rig with(20);
    with.client.send(request_text("POST", "/v1/hold", "", "x"));
    REQUIRE(with.wait_for_held(1));
    test::raw_client another(with.gateway.port());
    another.send(request_text("GET", "/v1/hold"));
    REQUIRE(with.wait_for_held(3)); // two of them for this one
    with.one.release();
    with.other.release();
    CHECK_THAT(with.client.read_answer(), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(another.read_answer(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("an instance that breaks every connection costs no idempotent request", "[gateway]") {
    const auto reset = [](int) {
        return test::raw_server::step{"", false, true};
    };
    SECTION("while there is another") { // neither says that it is ready: both are tried
        origin_server origin;
        test::raw_server bad(reset);
        test::raw_server good([](int) {
            return test::raw_server::step{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
        });
        test::gateway_process gateway(fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
upstream {{ name: "odd" url_variable: "RELAIS_ODD_URL"
           default_url: "http://127.0.0.1:{},http://127.0.0.1:{}" admin_port_offset: 1 }}
route {{ prefix: "/" upstream: "odd" credentials: CREDENTIALS_FORWARD
        deadline_ms: 10000 body_max_bytes: 1000 }}
)",
                                                  origin.port(), bad.port(), good.port()),
                                      {{"RELAIS_LOOPS", "1"}});
        test::raw_client client(gateway.port());
        for (int i = 0; i < 10; ++i) {
            client.send(request_text("GET", "/odd"));
            CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
        }
        CHECK(bad.requests() > 0);
    }
    SECTION("there is none") {
        origin_server origin;
        test::raw_server bad(reset);
        test::gateway_process gateway(test::routes_for(origin.port(), bad.port()));
        test::raw_client client(gateway.port());
        client.send(request_text("GET", "/odd"));
        CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 502"));
        CHECK(bad.requests() == 1);
    }
}
