#include "mailing-list-sync/domain/rate_limit.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

namespace {

const rate_limit::time_point start{};

int calls_until_told_to_wait(rate_limit& limit, urgency who, rate_limit::time_point now) {
    int calls = 0;
    while (limit.take(who, now).count() == 0) {
        ++calls;
    }
    return calls;
}

} // namespace

TEST_CASE("a fifth of the rate is kept for opt-outs", "[mailing-list-sync]") {
    rate_limit limit(10, 1s, start);
    CHECK(calls_until_told_to_wait(limit, urgency::edit, start) == 8);
    CHECK(calls_until_told_to_wait(limit, urgency::opt_out, start) == 2);
}

TEST_CASE("the bucket fills again at the rate", "[mailing-list-sync]") {
    rate_limit limit(10, 1s, start);
    calls_until_told_to_wait(limit, urgency::opt_out, start);
    CHECK(limit.take(urgency::opt_out, start) == 100ms);
    CHECK(limit.take(urgency::opt_out, start + 100ms) == 0ms);
}

TEST_CASE("the provider's word counts", "[mailing-list-sync]") {
    rate_limit limit(10, 1s, start);
    limit.provider_says(0, 700ms, start);
    CHECK(limit.take(urgency::opt_out, start) == 700ms);
    CHECK(limit.take(urgency::opt_out, start + 700ms) == 0ms);
}

TEST_CASE("a refusal halves the rate, which recovers", "[mailing-list-sync]") {
    rate_limit limit(10, 1s, start);
    calls_until_told_to_wait(limit, urgency::opt_out, start);
    limit.refused(1s, start);
    CHECK(limit.take(urgency::opt_out, start) == 1s);
    CHECK(calls_until_told_to_wait(limit, urgency::opt_out, start + 1s) < 10);
    CHECK(calls_until_told_to_wait(limit, urgency::opt_out, start + 60s) == 10);
}
