#include "postgres/connection_budget.hpp"
#include "postgres/connection_string.hpp"
#include "postgres/outage_gate.hpp"
#include "postgres/session.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("while the server is down one at a time tries, after a pause", "[postgres]") {
    pg::outage_gate gate(200ms);
    const pg::outage_gate::time_point start{};
    CHECK_FALSE(gate.reachable());
    CHECK(gate.may_try(start));
    CHECK(gate.may_try(start)); // nothing is known yet: everybody may
    CHECK(gate.failed(start));
    CHECK_FALSE(gate.may_try(start + 199ms));
    CHECK(gate.may_try(start + 200ms));
    CHECK_FALSE(gate.may_try(start + 200ms)); // somebody is at it
    CHECK_FALSE(gate.failed(start + 300ms));
    CHECK_FALSE(gate.may_try(start + 400ms));
    CHECK(gate.may_try(start + 500ms));
    CHECK(gate.succeeded());
    CHECK_FALSE(gate.succeeded());
    CHECK(gate.reachable());
    CHECK(gate.may_try(start + 500ms));
    CHECK(gate.may_try(start + 500ms));
}

TEST_CASE("a short deadline shortens the statement timeout in steps", "[postgres]") {
    const auto [left, step] = GENERATE(table<int, int>({
        {5000, 2000},
        {2000, 2000},
        {1999, 1000},
        {600, 500},
        {120, 100},
        {99, 50},
        {-5, 50},
    }));
    CHECK(pg::detail::timeout_step(2000ms, std::chrono::milliseconds(left)) ==
          std::chrono::milliseconds(step));
}

TEST_CASE("the connection budget sums all services", "[postgres]") {
    pg::budget_question question{.service = "upload",
                                 .pool = 4,
                                 .instances_max = 2,
                                 .server_max = 100,
                                 .server_reserved = 3};
    CHECK(pg::check_budget(question)); // 4 services x 2 x (4 + 1) + 10 + 3 = 53
    question.server_max = 53;
    CHECK(pg::check_budget(question));
    question.server_max = 52;
    const auto refused = pg::check_budget(question);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == error_kind::invalid);
    CHECK(refused.error().slug == "connection-budget");
    CHECK_THAT(refused.error().detail,
               ContainsSubstring("= 53 connections") && ContainsSubstring("max_connections is 52"));
    question.pool = 30;
    question.server_max = 104;
    CHECK_FALSE(pg::check_budget(question)); // 53 - 2 x 4 + 2 x 30 = 105
    question.server_max = 105;
    CHECK(pg::check_budget(question));
}

TEST_CASE("a connection string keeps what it says and gets our defaults", "[postgres]") {
    const auto parsed =
        pg::parse_connection_string("postgresql://user:it's@db.example:6432/web_api?"
                                    "application_name=mine&options=-c%20work_mem%3D1MB");
    REQUIRE(parsed);
    CHECK(parsed->at("password") == "it's");
    const auto full = pg::with_session_defaults(*parsed, "web-api", {{"lock_timeout", "5"}});
    CHECK(full.at("application_name") == "mine");
    CHECK_THAT(full.at("options"), ContainsSubstring("TimeZone=UTC") &&
                                       ContainsSubstring("-c lock_timeout=5") &&
                                       ContainsSubstring("-c work_mem=1MB"));
    CHECK(pg::parse_connection_string(pg::to_connection_string(full)) == full);
}

TEST_CASE("a bad URL's error does not show the URL", "[postgres]") {
    const auto parsed = pg::parse_connection_string("postgresql://u:secret@h:port:port/%zz");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().slug == "database-url");
    CHECK_THAT(parsed.error().detail, !ContainsSubstring("secret"));
}
