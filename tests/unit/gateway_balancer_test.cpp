#include "gateway/upstream/balancer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <random>
#include <vector>

using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

const balancer::time_point start{100s};

balancer of(std::size_t count) {
    balancer made;
    for (std::size_t i = 0; i < count; ++i) {
        made.add(i, true);
    }
    return made;
}

std::vector<int> choices(balancer& balance, balancer::time_point now) {
    std::mt19937_64 random(7);
    std::vector<int> counts(balance.size());
    for (int i = 0; i < 3'000; ++i) {
        ++counts.at(balance.choose(now, random()));
    }
    return counts;
}

} // namespace

TEST_CASE("equal instances get equal shares", "[gateway]") {
    auto balance = of(3);
    for (const int count : choices(balance, start)) {
        CHECK(count > 850);
        CHECK(count < 1'150);
    }
}

TEST_CASE("requests and bytes in flight keep an instance from getting more", "[gateway]") {
    auto balance = of(2);
    for (int i = 0; i < 10; ++i) {
        balance.begin(0);
    }
    CHECK(choices(balance, start)[0] == 0);
    for (int i = 0; i < 10; ++i) {
        balance.end(0);
    }
    balance.begin(1); // one request, and on the other a large upload
    balance.add_bytes(0, 8 << 20);
    CHECK(choices(balance, start)[0] == 0);
}

TEST_CASE("a slow instance gets next to nothing, and is tried again later", "[gateway]") {
    auto balance = of(3);
    for (std::size_t i = 0; i < 3; ++i) {
        balance.report_success(i, i == 2 ? 100ms : 10ms, start);
    }
    CHECK(choices(balance, start)[2] == 0);
    // The others are measured all the time; what is known of this one fades.
    const auto later = start + 10s;
    balance.report_success(0, 10ms, later);
    balance.report_success(1, 10ms, later);
    CHECK(choices(balance, later)[2] > 0);
}

TEST_CASE("a peak counts at once and is forgotten slowly", "[gateway]") {
    auto balance = of(1);
    balance.report_success(0, 10ms, start);
    balance.report_success(0, 500ms, start + 1s);
    CHECK(balance.look(0, start).latency == 500ms);
    balance.report_success(0, 10ms, start + 2s);
    CHECK(balance.look(0, start).latency > 300ms);
    balance.report_success(0, 10ms, start + 30s);
    CHECK(balance.look(0, start).latency < 11ms);
}

TEST_CASE("an instance that keeps a request waiting is taken to be slow, though it never answers",
          "[gateway]") {
    auto balance = of(2);
    balance.report_success(0, 10ms, start);
    balance.report_success(1, 10ms, start);
    balance.report_waiting(1, 5ms, start); // that is usual
    CHECK(choices(balance, start)[1] > 0);
    balance.report_waiting(1, 100ms, start + 1s);
    CHECK(choices(balance, start + 1s)[1] == 0);
    CHECK(balance.look(1, start).latency == 100ms);
    balance.report_waiting(1, 100ms, start + 5s); // less was left of it
    CHECK(choices(balance, start + 7s)[1] == 0);
}

TEST_CASE("an instance nobody has measured is taken to be like the others", "[gateway]") {
    auto balance = of(2);
    for (int i = 0; i < 200; ++i) {
        balance.report_success(0, 1ms, start);
    }
    CHECK(choices(balance, start)[1] > 1'000);
}

TEST_CASE("an instance that is not ready gets nothing, unless none is", "[gateway]") {
    auto balance = of(2);
    balance.report_ready(0, false, start);
    CHECK(choices(balance, start)[0] == 0);
    balance.report_ready(1, false, start);
    const auto counts = choices(balance, start);
    CHECK(counts[0] > 0);
    CHECK(counts[1] > 0);
    CHECK(balance.usable_count(start) == 0);
    balance.report_ready(0, true, start);
    CHECK(choices(balance, start)[1] == 0);
}

TEST_CASE("an instance that became ready begins with a small share", "[gateway]") {
    auto balance = of(2);
    balance.report_ready(1, false, start);
    balance.report_ready(1, true, start);
    balance.begin(0);
    CHECK(choices(balance, start + 100ms)[1] == 0);
    balance.end(0);
    for (int i = 0; i < 5; ++i) { // five in flight weigh less than a share of a tenth
        balance.begin(0);
    }
    CHECK(choices(balance, start + 100ms)[1] == 0);
    CHECK(choices(balance, start + 9s)[0] == 0);
}

TEST_CASE("after a failed connection an instance rests for a second", "[gateway]") {
    auto balance = of(2);
    balance.report_connect_failure(1, start);
    CHECK(choices(balance, start)[1] == 0);
    CHECK(balance.usable_count(start) == 1);
    CHECK(choices(balance, start + 1s)[1] > 0);
}

TEST_CASE("five failures in a row put an instance out, longer each time", "[gateway]") {
    auto balance = of(3);
    const auto fail = [&](int times, balancer::time_point when) {
        for (int i = 0; i < times; ++i) {
            balance.report_failure(0, when);
        }
    };
    fail(4, start);
    balance.report_success(0, 1ms, start);
    fail(4, start);
    CHECK_FALSE(balance.look(0, start).ejected);
    fail(1, start);
    CHECK(balance.look(0, start + 4s).ejected);
    CHECK_FALSE(balance.look(0, start + 5s).ejected);
    fail(5, start + 5s);
    CHECK(balance.look(0, start + 14s).ejected);
    CHECK_FALSE(balance.look(0, start + 15s).ejected);
}

TEST_CASE("no more than half of the ready ones are out at a time", "[gateway]") {
    auto balance = of(4);
    for (std::size_t i = 0; i < 4; ++i) {
        balance.report_connect_failure(i, start);
    }
    CHECK(balance.usable_count(start) == 2);
    auto one = of(1);
    one.report_connect_failure(0, start);
    CHECK(one.choose(start, 5) == 0);
    CHECK(one.usable_count(start) == 1);
}

TEST_CASE("with less than half left, ejections do not count", "[gateway]") {
    auto balance = of(4);
    balance.report_connect_failure(0, start);
    balance.report_connect_failure(1, start);
    balance.report_ready(2, false, start); // of three that are ready two are out
    const auto counts = choices(balance, start);
    CHECK(counts[0] > 0);
    CHECK(counts[1] > 0);
    CHECK(counts[2] == 0);
}

TEST_CASE("instances that failed this request are avoided while there are others", "[gateway]") {
    auto three = of(3);
    const std::array<std::size_t, 2> failed{0, 2};
    for (std::uint64_t random = 0; random < 100; ++random) {
        CHECK(three.choose(start, random * 0x9e3779b97f4a7c15, failed) == 1);
    }
    auto one = of(1);
    CHECK(one.choose(start, 5, failed) == 0);
}

TEST_CASE("instances come and go", "[gateway]") {
    balancer balance;
    CHECK(balance.choose(start, 1) == balancer::none);
    balance.add(0, true);
    balance.add(1, true);
    balance.remove(0);
    CHECK(choices(balance, start)[0] == 0);
    balance.begin(1);
    balance.remove(1);
    CHECK(balance.choose(start, 1) == balancer::none);
    balance.add(1, true); // another one, while a request of the old one is still under way
    balance.end(1);
    CHECK(balance.look(1, start).in_flight == 0);
}
