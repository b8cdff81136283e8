#include "timers/retry.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("a timer's retries grow, and end", "[timers]") {
    CHECK(timers::wait_after(1, error_kind::unavailable, 0) == 500ms);
    const auto later = timers::wait_after(20, error_kind::internal, ~std::uint64_t{0});
    REQUIRE(later);
    CHECK(*later <= 10min);
    CHECK_FALSE(timers::wait_after(timers::attempts_max, error_kind::unavailable, 0));
}

TEST_CASE("what trying again cannot mend is given up at once", "[timers]") {
    CHECK_FALSE(timers::wait_after(1, error_kind::invalid, 0));
    CHECK_FALSE(timers::wait_after(1, error_kind::not_found, 0));
    CHECK(timers::wait_after(1, error_kind::timeout, 0));
}
