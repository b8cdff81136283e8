#include "http/router.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>

using namespace relais;

namespace {

http::route route(std::string method, std::string path) {
    http::route made;
    made.method = std::move(method);
    made.path = std::move(path);
    return made;
}

http::router story() {
    return http::router({route("GET", "/v1/sessions/{id}"), route("GET", "/v1/sessions/current"),
                         route("DELETE", "/v1/sessions/current"), route("GET", "/v1/jobs"),
                         route("POST", "/v1/jobs"), route("POST", "/v1/jobs/{id}/offers"),
                         route("OPTIONS", "/own"), route("GET", "/")});
}

} // namespace

TEST_CASE("paths find their routes", "[http][router]") {
    const auto routes = story();
    const auto path_of = [&](std::string_view method, std::string_view path) {
        const auto found = routes.find(method, path);
        return found.route == nullptr ? std::string() : found.route->path;
    };
    CHECK(path_of("GET", "/v1/sessions/current") == "/v1/sessions/current");
    CHECK(path_of("GET", "/v1/sessions/7") == "/v1/sessions/{id}");
    CHECK(path_of("GET", "/") == "/");
    CHECK(path_of("HEAD", "/v1/jobs") == "/v1/jobs");
    CHECK(path_of("GET", "/v1/jobs/").empty());
    CHECK(path_of("GET", "/v1/jobs/7/offers").empty());
    CHECK(path_of("POST", "/v1/jobs//offers").empty());
    CHECK(path_of("GET", "*").empty());
    CHECK(routes.find("POST", "/v1/jobs/a%20b%2B/offers").parameters.at("id") == "a b+");
    CHECK(routes.find("POST", "/v1/jobs/%FF/offers").route == nullptr);
}

TEST_CASE("what a path allows", "[http][router]") {
    const auto routes = story();
    CHECK(routes.find("PUT", "/v1/jobs").allowed ==
          std::vector<std::string>{"GET", "POST", "HEAD", "OPTIONS"});
    CHECK(routes.find("GET", "/own").allowed == std::vector<std::string>{"OPTIONS"});
    CHECK(routes.find("PUT", "/nowhere").allowed.empty());
}

TEST_CASE("a table that contradicts itself is a bug", "[http][router]") {
    CHECK_THROWS_AS(http::router({route("GET", "/a/{x}"), route("GET", "/a/{y}")}),
                    std::logic_error);
    CHECK_THROWS_AS(http::router({route("GET", "a")}), std::logic_error);
}
