#include "gateway/upstream/balancer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>
#include <vector>

using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

const balancer::time_point start{};

std::vector<int> choices(const balancer& balance, balancer::time_point now) {
    std::mt19937_64 random(7);
    std::vector<int> counts(balance.size());
    for (int i = 0; i < 3'000; ++i) {
        ++counts[balance.choose(now, random())];
    }
    return counts;
}

} // namespace

TEST_CASE("equal instances get equal shares", "[gateway]") {
    const balancer balance(3);
    for (const int count : choices(balance, start)) {
        CHECK(count > 850);
        CHECK(count < 1'150);
    }
}

TEST_CASE("a busier instance gets less", "[gateway]") {
    balancer balance(2);
    for (int i = 0; i < 10; ++i) {
        balance.begin(0);
    }
    const auto counts = choices(balance, start);
    CHECK(counts[1] > 2 * counts[0]);
}

TEST_CASE("an instance that is not ready gets nothing, unless none is", "[gateway]") {
    balancer balance(2);
    balance.report_ready(0, false);
    CHECK(choices(balance, start)[0] == 0);
    balance.report_ready(1, false);
    const auto counts = choices(balance, start);
    CHECK(counts[0] > 0);
    CHECK(counts[1] > 0);
    balance.report_ready(0, true);
    CHECK(choices(balance, start)[1] == 0);
}

TEST_CASE("after a failed connection an instance rests for a second", "[gateway]") {
    balancer balance(2);
    balance.report_connect_failure(1, start);
    CHECK(choices(balance, start)[1] == 0);
    CHECK(balance.healthy_count(start) == 1);
    CHECK(choices(balance, start + 1s)[1] > 0);
    balance.report_connect_failure(1, start + 1s);
    balance.report_success(1);
    CHECK(balance.is_healthy(1, start + 1s));
}

TEST_CASE("the instance that just failed is avoided while there is another", "[gateway]") {
    const balancer two(2);
    for (std::uint64_t random = 0; random < 100; ++random) {
        CHECK(two.choose(start, random * 0x9e3779b97f4a7c15, 0) == 1);
    }
    const balancer one(1);
    CHECK(one.choose(start, 5, 0) == 0);
}
