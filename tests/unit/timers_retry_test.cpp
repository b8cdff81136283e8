#include "timers/retry.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::chrono_literals;
using timers::curve;

namespace {

error of(error_kind kind) {
    return {kind, "", "", "", std::nullopt};
}

const error unavailable = of(error_kind::unavailable);

} // namespace

TEST_CASE("a timer's retries grow, and end", "[timers]") {
    const timers::policy usual;
    CHECK(usual.wait_after(1, unavailable, 0) == 500ms);
    const auto later = usual.wait_after(20, of(error_kind::internal), ~std::uint64_t{0});
    REQUIRE(later);
    CHECK(*later <= 10min);
    CHECK(usual.wait_after(24, unavailable, 0));
    CHECK_FALSE(usual.wait_after(25, unavailable, 0));
}

TEST_CASE("what trying again cannot mend is given up at once", "[timers]") {
    const timers::policy usual;
    CHECK_FALSE(usual.wait_after(1, of(error_kind::invalid), 0));
    CHECK_FALSE(usual.wait_after(1, of(error_kind::not_found), 0));
    CHECK(usual.wait_after(1, of(error_kind::timeout), 0));
}

TEST_CASE("each curve of a timer's retries", "[timers]") {
    const timers::policy steady{.curve = curve::constant, .first = 3s, .attempts_max = 4};
    CHECK(steady.wait_after(1, unavailable, 7) == 3s);
    CHECK(steady.wait_after(3, unavailable, 9) == 3s);
    CHECK_FALSE(steady.wait_after(4, unavailable, 9));

    CHECK(timers::like_delayed_job.wait_after(1, unavailable, 7) == 6s);
    CHECK(timers::like_delayed_job.wait_after(2, unavailable, 7) == 21s);
    CHECK(timers::like_delayed_job.wait_after(24, unavailable, 7) == 331'781s);
    std::chrono::milliseconds sum{};
    for (int attempt = 1; attempt < 25; ++attempt) {
        sum += *timers::like_delayed_job.wait_after(attempt, unavailable, 7);
    }
    CHECK(std::chrono::floor<std::chrono::days>(sum) == std::chrono::days(20));
    const timers::policy capped{.curve = curve::delayed_job, .longest = 1h};
    CHECK(capped.wait_after(20, unavailable, 7) == 1h);
}

TEST_CASE("a timer waits for as long as its error asks, within its curve's longest", "[timers]") {
    const timers::policy steady{.curve = curve::constant, .first = 3s, .longest = 1min};
    auto asks = unavailable;
    asks.retry_after = 20s;
    CHECK(steady.wait_after(1, asks, 0) == 20s);
    asks.retry_after = 2h;
    CHECK(steady.wait_after(1, asks, 0) == 1min);
}
