#include "gateway/limits/gcra.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

rate made(std::uint64_t count, std::chrono::seconds window, std::uint64_t burst) {
    const auto out = rate::make(count, window, burst);
    REQUIRE(out);
    return *out;
}

/// One subject and its clock.
struct subject {
    rate allowed;
    nanoseconds now = 1'000s;
    nanoseconds tat{};

    limit_decision take(std::uint64_t cost = 1) {
        const auto step = gcra_take(allowed, tat, now, cost);
        tat = step.tat;
        return step.decision;
    }

    int pass(int requests) {
        int passed = 0;
        for (int i = 0; i < requests; ++i) {
            passed += take().allowed ? 1 : 0;
        }
        return passed;
    }
};

} // namespace

TEST_CASE("a rate is checked when it is made", "[gateway]") {
    const auto minute = made(100, 60s, 20);
    CHECK(minute.emission() == 600ms);
    CHECK(minute.capacity() == 12s);
    CHECK(made(3, 1s, 1).emission() == 333'333'334ns);
    CHECK(made(1'000'000'000, 1s, 1).emission() == 1ns);
    CHECK(made(1, std::chrono::days(31), 3).capacity() == std::chrono::days(93));

    struct bad {
        std::uint64_t count;
        std::chrono::seconds window;
        std::uint64_t burst;
    };

    for (const auto& [count, window, burst] :
         {bad{0, 1s, 1}, bad{1, 0s, 1}, bad{1, -1s, 1}, bad{1, 1s, 0}, bad{1'000'000'001, 1s, 1},
          bad{1, std::chrono::days(32), 1}, bad{1, std::chrono::seconds::max(), 1},
          bad{1, std::chrono::days(31), 4},
          bad{1, 1s, std::numeric_limits<std::uint64_t>::max()}}) {
        const auto out = rate::make(count, window, burst);
        REQUIRE_FALSE(out);
        CHECK(out.error().slug == "invalid-rate");
        CHECK_FALSE(out.error().detail.empty());
    }
}

TEST_CASE("a new subject has its burst, then one unit per emission interval", "[gateway]") {
    subject client{made(10, 1s, 5)};
    for (std::uint64_t left = 5; left-- > 0;) {
        const auto said = client.take();
        CHECK(said.allowed);
        CHECK(said.remaining == left);
        CHECK(said.full_after == (5 - static_cast<int>(left)) * 100ms);
        CHECK(said.next_after == 100ms);
        CHECK(said.retry_after == 0ns);
    }
    const auto refused = client.take();
    CHECK_FALSE(refused.allowed);
    CHECK(refused.remaining == 0);
    CHECK(refused.retry_after == 100ms);
    CHECK(refused.full_after == 500ms);
    client.now += 1s;
    CHECK(client.pass(100) == 5);
}

TEST_CASE("the edge is exact to the nanosecond", "[gateway]") {
    subject client{made(1, 1s, 1)};
    CHECK(client.take().allowed);
    client.now += 1s - 1ns;
    const auto early = client.take();
    CHECK_FALSE(early.allowed);
    CHECK(early.retry_after == 1ns);
    CHECK(early.next_after == 1ns);
    client.now += early.retry_after;
    CHECK(client.take().allowed);
}

TEST_CASE("over any time no more passes than burst and rate give", "[gateway]") {
    for (const auto step :
         {1ns, nanoseconds(7ms), nanoseconds(99'999'999ns), nanoseconds(100ms), nanoseconds(1s)}) {
        subject client{made(10, 1s, 3)};
        const auto begin = client.now;
        long passed = 0;
        for (int i = 0; i < 5'000; ++i) {
            passed += client.take().allowed ? 1 : 0;
            client.now += step;
        }
        const auto last = client.now - step - begin;
        // One per interval when asked seldom; else all that was earned.
        CHECK(passed == std::min<long>(5'000, 3 + last / 100ms));
    }
}

TEST_CASE("a refused request does not prolong the wait", "[gateway]") {
    subject client{made(1, 10s, 1)};
    CHECK(client.take().allowed);
    for (int i = 0; i < 9; ++i) {
        client.now += 1s;
        CHECK(client.take().retry_after == (9 - i) * 1s);
    }
    client.now += 1s;
    CHECK(client.take().allowed);
}

TEST_CASE("a request may cost several units, or none", "[gateway]") {
    subject client{made(10, 1s, 10)};
    CHECK(client.take(7).remaining == 3);
    const auto refused = client.take(4);
    CHECK_FALSE(refused.allowed);
    CHECK(refused.remaining == 3);
    CHECK(refused.retry_after == 100ms);
    CHECK(client.take(3).remaining == 0);

    const auto before = client.tat;
    const auto look = client.take(0);
    CHECK(look.allowed);
    CHECK(look.remaining == 0);
    CHECK(look.next_after == 100ms);
    CHECK(client.tat == before);

    client.now += 1s;
    CHECK(client.take(10).allowed);
    client.now += 100s;
    const auto full = client.take(0);
    CHECK(full.remaining == 10);
    CHECK(full.full_after == 0ns);
    CHECK(full.next_after == 0ns);
}

TEST_CASE("what costs more than the burst never passes and takes nothing", "[gateway]") {
    subject client{made(10, 1s, 10)};
    for (const auto cost : {std::uint64_t{11}, std::numeric_limits<std::uint64_t>::max()}) {
        const auto said = client.take(cost);
        CHECK_FALSE(said.allowed);
        CHECK(said.retry_after == limit_decision::never);
        CHECK(said.remaining == 10);
    }
    CHECK(client.tat == 0ns);
}

TEST_CASE("part of a unit is told as the time until the next", "[gateway]") {
    subject client{made(10, 1s, 3)};
    client.take();
    client.now += 40ms;
    const auto said = client.take();
    CHECK(said.remaining == 1);
    CHECK(said.next_after == 60ms);
    CHECK(said.full_after == 160ms);
}

TEST_CASE("a clock that goes back costs a client no more than its burst", "[gateway]") {
    subject client{made(10, 1s, 5)};
    CHECK(client.pass(10) == 5);
    client.now -= 500s;
    const auto refused = client.take();
    CHECK_FALSE(refused.allowed);
    CHECK(refused.retry_after == 100ms);
    client.now += 100ms;
    CHECK(client.take().allowed);
    CHECK_FALSE(client.take().allowed);

    // A little back is what the loops' cached times differ: nothing may be won by it.
    subject other{made(10, 1s, 5)};
    CHECK(other.pass(10) == 5);
    other.now -= 10ms;
    const auto before = other.tat;
    CHECK_FALSE(other.take().allowed);
    CHECK(other.tat == before);
}

TEST_CASE("a smaller rate after a reload lets nobody wait by the old one", "[gateway]") {
    subject client{made(1, 3'600s, 10)};
    CHECK(client.pass(20) == 10);
    client.allowed = made(10, 1s, 5);
    CHECK(client.take().retry_after == 100ms);
    client.now += 100ms;
    CHECK(client.take().allowed);
}

TEST_CASE("times at the ends of their range do not overflow", "[gateway]") {
    const auto allowed = made(1, std::chrono::days(31), 3);
    constexpr auto lowest = nanoseconds::min();
    constexpr auto highest = nanoseconds::max();
    for (const auto now : {lowest, lowest + 1ns, -1ns, 0ns, 1ns, highest - 1ns, highest}) {
        for (const auto tat : {lowest, -1ns, 0ns, 1ns, highest}) {
            for (const auto cost : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3},
                                    std::numeric_limits<std::uint64_t>::max()}) {
                const auto step = gcra_take(allowed, tat, now, cost);
                CHECK(step.decision.remaining <= 3);
                CHECK(step.decision.full_after <= allowed.capacity());
                CHECK(step.decision.retry_after >= 0ns);
            }
        }
    }
}
