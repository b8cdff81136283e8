#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <string>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

/// A routes file with one route, at this path.
std::string route_at(const std::string& path, std::uint16_t port,
                     const std::string& service = "web-api") {
    std::string text = fmt::format(
        R"(upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
)",
        port);
    if (service != "web-api") {
        text += fmt::format(
            R"(upstream {{ name: "{0}" url_variable: "RELAIS_{0}" default_url: "http://localhost:{1}" }}
)",
            service, port);
    }
    return text +
           fmt::format(R"(route {{ prefix: "{}" upstream: "{}" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 10000 body_max_bytes: 1000000 }}
)",
                       path, service);
}

std::string ask(const gateway_process& gateway, const std::string& target) {
    raw_client client(gateway.port());
    client.send(request_text("GET", target));
    return client.read_answer();
}

/// Until there is a route at this path.
void wait_for_route(const gateway_process& gateway, const std::string& target) {
    while (ask(gateway, target).find("problems/no-route") != std::string::npos) {}
}

} // namespace

TEST_CASE("a new configuration is used at once and disturbs nothing that is under way",
          "[gateway]") {
    origin_server origin;
    gateway_process gateway(route_at("/v1", origin.port()));
    raw_client uploading(gateway.port());
    uploading.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                   "Content-Length: 100000\r\n\r\n");
    REQUIRE_THAT(uploading.read_answer(), StartsWith("HTTP/1.1 100"));
    raw_client kept(gateway.port());
    kept.send(request_text("GET", "/v1/echo"));
    REQUIRE_THAT(kept.read_answer(), StartsWith("HTTP/1.1 200"));

    gateway.replace_routes(route_at("/v2", origin.port(), "other"));
    wait_for_route(gateway, "/v2/x");
    uploading.send(std::string(100'000, 'x'));
    CHECK_THAT(uploading.read_answer(), StartsWith("HTTP/1.1 200"));
    kept.send(request_text("GET", "/v1/echo"));
    CHECK_THAT(kept.read_answer(),
               StartsWith("HTTP/1.1 404") && ContainsSubstring("problems/no-route"));
}

TEST_CASE("a configuration with anything wrong in it is refused whole", "[gateway]") {
    origin_server origin;
    gateway_process gateway(route_at("/v1", origin.port()));
    gateway.replace_routes(route_at("/v2", origin.port()) +
                           R"(route { prefix: "bad" upstream: "nobody" })");
    REQUIRE(gateway.wait_for_log("config.refused"));
    CHECK(gateway.wait_for_log(R"(no upstream \"nobody\")"));
    CHECK(gateway.wait_for_log(R"(route \"bad\": the prefix)"));
    CHECK_THAT(ask(gateway, "/v1/echo"), StartsWith("HTTP/1.1 200"));
    CHECK_THAT(ask(gateway, "/v2/echo"), ContainsSubstring("problems/no-route"));
    CHECK_THAT(gateway.admin("/metrics"),
               ContainsSubstring("gateway_config_reloads_total{result=\"refused\"} 1"));
}

TEST_CASE("reloads come one after the other, and every request is answered", "[gateway]") {
    origin_server origin;
    gateway_process gateway(route_at("/v1", origin.port()));
    raw_client kept(gateway.port());
    for (int i = 0; i < 200; ++i) {
        if (i % 10 == 0) {
            gateway.hang_up();
        }
        kept.send(request_text("GET", "/v1/echo"));
        REQUIRE_THAT(kept.read_answer(), StartsWith("HTTP/1.1 200"));
        REQUIRE_THAT(ask(gateway, "/v1/echo"), StartsWith("HTTP/1.1 200"));
    }
    CHECK(gateway.wait_for_log("config.accepted"));
}
