#include "gateway/limits/concurrency_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <barrier>
#include <thread>
#include <vector>

using namespace relais::gateway;

TEST_CASE("a subject has so many places and gets them back", "[gateway]") {
    concurrency_table table(64);
    {
        auto first = table.acquire(1, "a", 2);
        auto second = table.acquire(1, "a", 2);
        REQUIRE(first);
        REQUIRE(second);
        CHECK(first->is_counted());
        CHECK_FALSE(table.acquire(1, "a", 2));
        CHECK(table.acquire(1, "b", 2));
        CHECK(table.acquire(2, "a", 2));
        CHECK(table.in_flight(1, "a") == 2);
        second->release();
        second->release();
        CHECK_FALSE(second->is_counted());
        CHECK(table.in_flight(1, "a") == 1);
        CHECK(table.acquire(1, "a", 2));
        CHECK_FALSE(table.acquire(1, "a", 1));
    }
    CHECK(table.in_flight(1, "a") == 0);
    CHECK(table.used() == 0);
    CHECK_FALSE(table.acquire(1, "a", 0));
    CHECK(table.uncounted() == 0);
}

TEST_CASE("a permit moves and is given back once", "[gateway]") {
    concurrency_table table(64);
    concurrency_permit held;
    {
        auto taken = table.acquire(1, "a", 5);
        REQUIRE(taken);
        held = std::move(*taken);
    }
    CHECK(table.in_flight(1, "a") == 1);
    auto moved = std::move(held);
    CHECK(table.in_flight(1, "a") == 1);
    auto other = table.acquire(1, "b", 5);
    REQUIRE(other);
    moved = std::move(*other);
    CHECK(table.in_flight(1, "a") == 0);
    CHECK(table.in_flight(1, "b") == 1);
    moved = concurrency_permit();
    CHECK(table.used() == 0);
}

TEST_CASE("a slot without places is free for the next subject", "[gateway]") {
    concurrency_table table(8);
    for (int round = 0; round < 100; ++round) {
        std::vector<concurrency_permit> held;
        for (int i = 0; i < 8; ++i) {
            auto taken = table.acquire(1, fmt::format("{} {}", round, i), 1);
            REQUIRE(taken);
            CHECK(taken->is_counted());
            held.push_back(std::move(*taken));
        }
        CHECK(table.used() == 8);
    }
    CHECK(table.uncounted() == 0);
}

TEST_CASE("in a full set a new subject passes uncounted, the others keep their counts",
          "[gateway]") {
    concurrency_table table(8);
    std::vector<concurrency_permit> held;
    for (int i = 0; i < 8; ++i) {
        held.push_back(std::move(*table.acquire(1, fmt::format("{}", i), 1)));
    }
    for (int i = 0; i < 10; ++i) {
        const auto taken = table.acquire(1, "new", 1);
        REQUIRE(taken);
        CHECK_FALSE(taken->is_counted());
    }
    CHECK(table.uncounted() == 10);
    CHECK(table.in_flight(1, "new") == 0);
    for (int i = 0; i < 8; ++i) {
        CHECK_FALSE(table.acquire(1, fmt::format("{}", i), 1));
    }
    held.pop_back();
    const auto taken = table.acquire(1, "new", 1);
    REQUIRE(taken);
    CHECK(taken->is_counted());
}

TEST_CASE("a count ends where its bits do", "[gateway]") {
    concurrency_table table(8);
    std::vector<concurrency_permit> held;
    for (std::uint32_t i = 0; i < concurrency_table::count_max; ++i) {
        held.push_back(std::move(*table.acquire(1, "a", ~0U)));
    }
    CHECK_FALSE(table.acquire(1, "a", ~0U));
    CHECK(table.in_flight(1, "a") == concurrency_table::count_max);
    held.clear();
    CHECK(table.used() == 0);
}

TEST_CASE("several threads never hold more than the limit and leave nothing behind", "[gateway]") {
    constexpr int threads = 4;
    constexpr int most = 3;
    concurrency_table table(64);
    std::atomic<int> held{0};
    std::atomic<int> highest{0};
    // Somebody who stays, so that the subject keeps its slot.
    const auto stays = table.acquire(1, "a", 1);
    {
        std::barrier together(threads);
        std::vector<std::jthread> running;
        for (int i = 0; i < threads; ++i) {
            running.emplace_back([&] {
                together.arrive_and_wait();
                for (int n = 0; n < 5'000; ++n) {
                    const auto taken = table.acquire(1, "a", most + 1);
                    if (!taken) {
                        continue;
                    }
                    const int now = held.fetch_add(1) + 1;
                    int before = highest.load();
                    while (before < now && !highest.compare_exchange_weak(before, now)) {}
                    held.fetch_sub(1);
                }
            });
        }
    }
    CHECK(highest.load() <= most);
    CHECK(table.in_flight(1, "a") == 1);
    CHECK(table.uncounted() == 0);
}

TEST_CASE("subjects that come and go on several threads leave an empty table", "[gateway]") {
    constexpr int threads = 4;
    concurrency_table table(16);
    {
        std::barrier together(threads);
        std::vector<std::jthread> running;
        for (int i = 0; i < threads; ++i) {
            running.emplace_back([&] {
                std::vector<concurrency_permit> mine(8);
                together.arrive_and_wait();
                for (unsigned n = 0; n < 20'000; ++n) {
                    auto taken = table.acquire(1, fmt::format("{}", n * 7 % 13), 100);
                    if (taken) {
                        mine[n % mine.size()] = std::move(*taken);
                    }
                }
            });
        }
    }
    CHECK(table.used() == 0);
    for (int i = 0; i < 13; ++i) {
        CHECK(table.in_flight(1, fmt::format("{}", i)) == 0);
    }
}

TEST_CASE("the table of counts has a power of two of slots", "[gateway]") {
    CHECK(concurrency_table(0).slots() == 8);
    CHECK(concurrency_table(100).slots() == 128);
}
