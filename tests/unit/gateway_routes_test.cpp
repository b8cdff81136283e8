#include "gateway/routing/route_table.hpp"
#include "support/environment.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* upstream = R"(
upstream {
  name: "api" url_variable: "API_URL" default_url: "http://127.0.0.1:1" admin_port_offset: 1
}
)";

std::string route_text(std::string_view prefix, std::string_view rest = "") {
    return fmt::format(R"(route {{ prefix: "{}" upstream: "api" credentials: CREDENTIALS_EXCHANGE
                           deadline_ms: 100 body_max_bytes: 10 {} }}
)",
                       prefix, rest);
}

std::string problems_of(const std::string& text, config::environment environment = {}) {
    config::reader from(std::move(environment));
    read_route_table(text, from);
    return fmt::format("{}", fmt::join(from.problems(), "\n"));
}

} // namespace

TEST_CASE("the routes file that is shipped is correct", "[gateway]") {
    config::reader from({});
    const auto table =
        read_route_file(test::source_dir() + "/services/gateway/routes.textproto", from);
    CHECK(from.problems().empty());
    REQUIRE(table.find("/v1/accounts") != nullptr);
    CHECK(table.upstreams[table.find("/v1/accounts")->upstream].name == "web-api");
    CHECK(table.upstreams[table.find("/v1/uploads/x")->upstream].name == "upload");
    CHECK(table.find("/webhooks/brevo")->credentials == credentials::forward);
    CHECK(table.find("/internal/v1/introspections") == nullptr);
    CHECK(table.find("/metrics") == nullptr);
}

TEST_CASE("the longest prefix of whole segments wins", "[gateway]") {
    config::reader from({});
    const auto table =
        read_route_table(upstream + route_text("/v1") + route_text("/v1/uploads"), from);
    REQUIRE(from.problems().empty());
    CHECK(table.find("/v1")->prefix == "/v1");
    CHECK(table.find("/v1/jobs")->prefix == "/v1");
    CHECK(table.find("/v1/uploads")->prefix == "/v1/uploads");
    CHECK(table.find("/v1/uploads/1/completion")->prefix == "/v1/uploads");
    CHECK(table.find("/v1/uploadsx")->prefix == "/v1");
    CHECK(table.find("/v10") == nullptr);
    CHECK(table.find("/") == nullptr);
}

TEST_CASE("methods of a route", "[gateway]") {
    config::reader from({});
    const auto table =
        read_route_table(upstream + route_text("/a", R"(method: "POST")") + route_text("/b"), from);
    CHECK(allows(*table.find("/a"), "POST"));
    CHECK_FALSE(allows(*table.find("/a"), "GET"));
    CHECK(allows(*table.find("/b"), "DELETE"));
    CHECK_FALSE(allows(*table.find("/b"), "TRACE"));
}

TEST_CASE("instances are read from the variable, comma separated", "[gateway]") {
    config::reader from({{"API_URL", "http://10.0.0.1:80,http://10.0.0.2:8080"}});
    const auto table = read_route_table(upstream + route_text("/v1"), from);
    REQUIRE(table.upstreams[0].targets.size() == 2);
    CHECK(table.upstreams[0].targets[1].address == config::endpoint{"10.0.0.2", 8080});
    CHECK(table.upstreams[0].targets[1].admin == config::endpoint{"10.0.0.2", 8081});
}

TEST_CASE("everything wrong with the file is said at once", "[gateway]") {
    const auto all =
        problems_of(upstream + route_text("/internal/x") + route_text("v1") + route_text("/v1/") +
                        route_text("/a//b") + route_text("/same") + route_text("/same") +
                        route_text("/t", R"(method: "TRACE")") +
                        R"(route { prefix: "/none" upstream: "nobody" })",
                    {{"API_URL", "ftp://x"}});
    CHECK_THAT(all, ContainsSubstring("/internal is never routed"));
    CHECK_THAT(all, ContainsSubstring("route \"v1\": the prefix is"));
    CHECK_THAT(all, ContainsSubstring("route \"/v1/\": the prefix is"));
    CHECK_THAT(all, ContainsSubstring("route \"/a//b\": the prefix is"));
    CHECK_THAT(all, ContainsSubstring("route \"/same\" stands twice"));
    CHECK_THAT(all, ContainsSubstring("method TRACE"));
    CHECK_THAT(all, ContainsSubstring("no upstream \"nobody\""));
    CHECK_THAT(all, ContainsSubstring("credentials is"));
    CHECK_THAT(all, ContainsSubstring("deadline_ms is"));
    CHECK_THAT(all, ContainsSubstring("API_URL: is \"ftp://x\""));
}

TEST_CASE("a file that is no route table says where", "[gateway]") {
    CHECK_THAT(problems_of("upstream {\n  nme: \"x\"\n}"), ContainsSubstring("line 2, column"));
}
