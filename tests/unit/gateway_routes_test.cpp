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
    REQUIRE(table.find("/v1/accounts", "POST") != nullptr);
    CHECK(table.upstreams[table.find("/v1/accounts", "POST")->upstream].name == "web-api");
    CHECK(table.upstreams[table.find("/v1/uploads/x", "POST")->upstream].name == "upload");
    CHECK(table.find("/webhooks/brevo", "POST")->credentials == credentials::forward);
    CHECK(table.find("/internal/v1/introspections", "POST") == nullptr);
    CHECK(table.find("/metrics", "POST") == nullptr);
}

TEST_CASE("the longest prefix of whole segments wins", "[gateway]") {
    config::reader from({});
    const auto table =
        read_route_table(upstream + route_text("/v1") + route_text("/v1/uploads"), from);
    REQUIRE(from.problems().empty());
    CHECK(table.find("/v1", "POST")->prefix == "/v1");
    CHECK(table.find("/v1/jobs", "POST")->prefix == "/v1");
    CHECK(table.find("/v1/uploads", "POST")->prefix == "/v1/uploads");
    CHECK(table.find("/v1/uploads/1/completion", "POST")->prefix == "/v1/uploads");
    CHECK(table.find("/v1/uploadsx", "POST")->prefix == "/v1");
    CHECK(table.find("/v10", "POST") == nullptr);
    CHECK(table.find("/", "POST") == nullptr);
}

TEST_CASE("among routes of one path the method decides, then shorter prefixes", "[gateway]") {
    config::reader from({});
    const auto table = read_route_table(
        upstream + route_text("/a", R"(method: "POST" cost: 5)") +
            route_text("/a", R"(method: "PUT")") + route_text("/b", R"(method: "GET")") +
            route_text("/a/b/c", R"(method: "GET")") + route_text("/", R"(method: "DELETE")"),
        from);
    REQUIRE(from.problems().empty());
    CHECK(table.find("/a", "POST")->cost == 5);
    CHECK(table.find("/a/", "PUT")->cost == 1);
    CHECK(table.find("/a/b/c/d", "GET")->prefix == "/a/b/c");
    CHECK(table.find("/a/b/c/d", "POST")->prefix == "/a");
    CHECK(table.find("/a", "DELETE")->prefix == "/");
    CHECK(table.find("/b", "POST") == nullptr);
    CHECK(table.methods_at("/a/x") == std::vector<std::string>{"DELETE", "POST", "PUT"});
    CHECK(table.find("/internal/x", "DELETE") == nullptr);
    CHECK(table.find("/internals", "DELETE") != nullptr);
    CHECK(table.find("*", "OPTIONS") == nullptr);
}

TEST_CASE("limits and where addresses come from", "[gateway]") {
    config::reader from({});
    const std::string limits = R"(
limit { name: "address" subject: LIMIT_SUBJECT_ADDRESS requests: 100 window_s: 60 burst: 20 }
limit { name: "account" subject: LIMIT_SUBJECT_ACCOUNT requests: 10 window_s: 1 }
client_address { trusted: "10.0.0.0/8" source: ADDRESS_SOURCE_X_FORWARDED_FOR }
)";
    const auto table = read_route_table(
        limits + upstream + route_text("/a", R"(limit: "account" limit: "address")"), from);
    REQUIRE(from.problems().empty());
    REQUIRE(table.routes[0].limits == std::vector<std::size_t>{1, 0});
    CHECK(table.limits[0].allowed.burst() == 20);
    CHECK(table.limits[1].subject == limit_subject::account);
    CHECK(table.addresses.source == address_source::x_forwarded_for);
    CHECK(table.v6_prefix == 64);
    const auto all = problems_of(R"(
limit { name: "A" subject: LIMIT_SUBJECT_ADDRESS requests: 0 window_s: 60 }
limit { name: "b" requests: 1 window_s: 60 }
client_address { trusted: "10.0.0.1/8" source: ADDRESS_SOURCE_FIELD ipv6_prefix_length: 129 }
)" + std::string(upstream) + route_text("/a", R"(limit: "none" upgrade: "h2c")"));
    for (const char* problem : {"limit \"A\": a name is", "limit \"b\": subject is",
                                "trusted \"10.0.0.1/8\"", "nobody is trusted", "field goes with",
                                "ipv6_prefix_length is", "no limit \"none\"", "upgrade \"h2c\""}) {
        CHECK_THAT(all, ContainsSubstring(problem));
    }
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

TEST_CASE("a rewrite takes away what every path of the route has", "[gateway]") {
    const auto problems = [](std::string_view prefix, std::string_view rewrite) {
        return problems_of(upstream + route_text(prefix, fmt::format("rewrite {{ {} }}", rewrite)));
    };
    CHECK(problems("/a/b", R"(strip_prefix: "/a" add_prefix: "/v2/x")").empty());
    CHECK(problems("/a/b", R"(strip_prefix: "/a/b")").empty());
    CHECK_THAT(problems("/ab", R"(strip_prefix: "/a")"), ContainsSubstring("strip_prefix is"));
    CHECK_THAT(problems("/a", R"(strip_prefix: "/a/b")"), ContainsSubstring("strip_prefix is"));
    CHECK_THAT(problems("/a", R"(add_prefix: "/v2/")"), ContainsSubstring("add_prefix is"));
    CHECK_THAT(problems("/a", R"(add_prefix: "/internal/x")"), ContainsSubstring("never routed"));
    CHECK_THAT(problems("/a", ""), ContainsSubstring("neither strip_prefix nor add_prefix"));
}

TEST_CASE("a bucket needs what it is asked with, and nothing else is said of its route",
          "[gateway]") {
    const auto problems = [](std::string_view bucket, std::string_view route = "",
                             config::environment environment = {}) {
        return problems_of(fmt::format(R"({}
bucket {{ name: "b" {} }}
route {{ prefix: "/p" upstream: "api" bucket: "b" deadline_ms: 100 {} }})",
                                       upstream, bucket, route),
                           std::move(environment));
    };
    constexpr std::string_view keys =
        R"(path: "b" access_key_variable: "KEY" secret_key_variable: "SECRET")";
    CHECK(problems(R"(path: "b/site" coding: "br")").empty());
    CHECK(problems(keys, "", {{"KEY", "k"}, {"SECRET", "s"}}).empty());
    CHECK_THAT(problems(keys), ContainsSubstring("KEY") && ContainsSubstring("SECRET"));
    CHECK_THAT(problems(R"(path: "b" access_key_variable: "KEY")"),
               ContainsSubstring("go together"));
    for (const char* path : {"", "/b", "b/", "b/../c", "b//c"}) {
        CHECK_THAT(problems(fmt::format("path: \"{}\"", path)), ContainsSubstring("path is"));
    }
    CHECK_THAT(problems(R"(path: "b" coding: "lzma")"), ContainsSubstring("none of br"));
    CHECK_THAT(problems(R"(path: "b")", R"(method: "PUT")"), ContainsSubstring("GET and HEAD"));
    CHECK_THAT(problems(R"(path: "b")", "credentials: CREDENTIALS_FORWARD"),
               ContainsSubstring("GET and HEAD"));
    CHECK_THAT(problems_of(upstream + route_text("/p", R"(bucket: "none")")),
               ContainsSubstring("no bucket \"none\""));
}
