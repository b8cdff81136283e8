#include "rest/breaker.hpp"
#include "rest/retry_budget.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::chrono_literals;

namespace {
const rest::breaker::time_point start{1h};
}

TEST_CASE("a breaker opens after failures in a row only", "[rest]") {
    rest::breaker guard({.failures_max = 3, .first_pause = 1s, .longest_pause = 3s});
    for (int i = 0; i < 10; ++i) {
        guard.failed(start);
        guard.failed(start);
        guard.succeeded();
    }
    CHECK_FALSE(guard.is_open());
    CHECK(guard.may_call(start));
    guard.failed(start);
    guard.failed(start);
    guard.failed(start);
    CHECK(guard.is_open());
    CHECK_FALSE(guard.may_call(start + 999ms));
}

TEST_CASE("an open breaker lets one call try, and waits longer each time", "[rest]") {
    rest::breaker guard({.failures_max = 1, .first_pause = 1s, .longest_pause = 3s});
    guard.failed(start);
    auto now = start;
    for (const auto pause : {1s, 2s, 3s, 3s}) {
        CHECK_FALSE(guard.may_call(now + pause - 1ms));
        CHECK(guard.wait(now + pause - 1ms) == 1ms);
        now += pause;
        CHECK(guard.wait(now) == 0ms);
        CHECK(guard.may_call(now));
        CHECK(guard.wait(now) == 1s);
        CHECK_FALSE(guard.may_call(now)); // somebody tries already
        guard.failed(now);
    }
    CHECK(guard.may_call(now + 3s));
    guard.succeeded();
    CHECK_FALSE(guard.is_open());
    CHECK(guard.wait(now) == 0ms);
    CHECK(guard.may_call(now));
    guard.failed(now);
    CHECK(guard.may_call(now + 1s)); // the pause is the first one again
}

TEST_CASE("calls that began before it opened change nothing, nor one that was not made", "[rest]") {
    rest::breaker guard({.failures_max = 1, .first_pause = 1s, .longest_pause = 30s});
    guard.failed(start);
    guard.failed(start + 900ms); // a late one
    CHECK(guard.may_call(start + 1s));
    guard.given_up();
    CHECK(guard.is_open());
    CHECK(guard.may_call(start + 1s));
}

TEST_CASE("retries within the budget come when planned, the rest is spread out", "[rest]") {
    rest::retry_budget budget({.share = 0.5, .per_second = 2.0, .reserve = 3.0});
    for (int i = 0; i < 3; ++i) {
        CHECK(budget.spend(start) == 0ms);
    }
    CHECK(budget.spend(start) == 500ms);
    CHECK(budget.spend(start) == 1'000ms);
    CHECK(budget.spend(start) == 1'500ms);
    CHECK(budget.left() == -3.0);
}

TEST_CASE("first calls and time earn retries, up to the reserve", "[rest]") {
    rest::retry_budget budget({.share = 0.5, .per_second = 1.0, .reserve = 2.0});
    budget.spend(start);
    budget.spend(start);
    CHECK(budget.spend(start) == 1'000ms);
    budget.earn(start);
    budget.earn(start);
    CHECK(budget.left() == 0.0);
    CHECK(budget.spend(start + 1s) == 0ms);
    budget.earn(start + 1h);
    CHECK(budget.left() == 2.0);
}
