#include "gateway/limits/limit_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <barrier>
#include <numeric>
#include <set>
#include <thread>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

const limit_table::time_point start{1'000s};

rate made(std::uint64_t count, std::chrono::seconds window, std::uint64_t burst) {
    const auto out = rate::make(count, window, burst);
    REQUIRE(out);
    return *out;
}

int pass(limit_table& table, std::uint32_t limit, std::string_view subject, const rate& allowed,
         int requests, limit_table::time_point now) {
    int passed = 0;
    for (int i = 0; i < requests; ++i) {
        passed += table.take(limit, subject, allowed, 1, now).allowed ? 1 : 0;
    }
    return passed;
}

/// Runs it on that many threads, all from the same moment on; the sum of what it gives.
template <class Work>
int on_threads(int threads, Work work) {
    std::barrier together(threads);
    std::vector<int> given(static_cast<std::size_t>(threads));
    {
        std::vector<std::jthread> running;
        for (int i = 0; i < threads; ++i) {
            running.emplace_back([&, i] {
                together.arrive_and_wait();
                given[static_cast<std::size_t>(i)] = work(i);
            });
        }
    }
    return std::accumulate(given.begin(), given.end(), 0);
}

} // namespace

TEST_CASE("subjects and limits have an allowance each", "[gateway]") {
    limit_table table(64, start);
    const auto allowed = made(10, 1s, 5);
    CHECK(pass(table, 1, "a", allowed, 10, start) == 5);
    CHECK(pass(table, 1, "b", allowed, 10, start) == 5);
    CHECK(pass(table, 2, "a", allowed, 10, start) == 5);
    CHECK(table.used(start) == 3);
    CHECK(pass(table, 1, "a", allowed, 10, start + 200ms) == 2);
    CHECK(pass(table, 1, "a", allowed, 10, start + 10s) == 5);
    CHECK(table.replaced() == 0);
}

TEST_CASE("a refusal says what the rate says, and is not stored", "[gateway]") {
    limit_table table(64, start);
    const auto allowed = made(1, 60s, 1);
    CHECK(table.take(1, "a", allowed, 1, start).allowed);
    for (int i = 1; i < 60; ++i) {
        const auto said = table.take(1, "a", allowed, 1, start + i * 1s);
        CHECK_FALSE(said.allowed);
        CHECK(said.retry_after == (60 - i) * 1s);
    }
    CHECK(table.take(1, "a", allowed, 1, start + 60s).allowed);
}

TEST_CASE("a look leaves no trace", "[gateway]") {
    limit_table table(64, start);
    const auto allowed = made(10, 1s, 5);
    CHECK(table.take(1, "a", allowed, 0, start).remaining == 5);
    CHECK(table.used(start) == 0);
    table.take(1, "a", allowed, 3, start);
    CHECK(table.take(1, "a", allowed, 0, start).remaining == 2);
    CHECK(table.take(1, "a", allowed, 0, start).remaining == 2);
}

TEST_CASE("the table has a power of two of slots, at least a set", "[gateway]") {
    CHECK(limit_table(0, start).slots() == 8);
    CHECK(limit_table(9, start).slots() == 16);
    CHECK(limit_table(65'536, start).slots() == 65'536);
}

TEST_CASE("a slot is free when its subject's allowance is full again", "[gateway]") {
    limit_table table(8, start);
    const auto allowed = made(1, 1s, 1);
    for (int round = 0; round < 100; ++round) {
        const auto now = start + round * 1s;
        for (int i = 0; i < 8; ++i) {
            CHECK(table.take(1, fmt::format("{}-{}", round, i), allowed, 1, now).allowed);
        }
        CHECK(table.used(now) == 8);
    }
    CHECK(table.replaced() == 0);
}

TEST_CASE("a full set replaces the least debt and counts it", "[gateway]") {
    limit_table table(8, start);
    const auto strict = made(1, 3'600s, 1);
    const auto loose = made(10, 1s, 10);
    for (int i = 0; i < 7; ++i) {
        table.take(1, fmt::format("strict {}", i), strict, 1, start);
    }
    for (int i = 0; i < 100; ++i) {
        CHECK(table.take(2, fmt::format("loose {}", i), loose, 1, start).allowed);
    }
    CHECK(table.replaced() == 99);
    CHECK(table.used(start) == 8);
    for (int i = 0; i < 7; ++i) {
        CHECK_FALSE(table.take(1, fmt::format("strict {}", i), strict, 1, start).allowed);
    }
}

TEST_CASE("whoever gets a replaced slot has nothing of the debt in it", "[gateway]") {
    limit_table table(8, start);
    const auto strict = made(1, 3'600s, 1);
    // Enough subjects that some have the tag of the one they replace.
    for (int i = 0; i < 2'000; ++i) {
        CHECK(table.take(1, fmt::format("{}", i), strict, 1, start).allowed);
    }
}

TEST_CASE("limits hold for many subjects in a table of their size", "[gateway]") {
    limit_table table(4'096, start);
    const auto allowed = made(1, 60s, 3);
    for (int i = 0; i < 1'000; ++i) {
        CHECK(pass(table, 7, fmt::format("subject {}", i), allowed, 5, start) == 3);
    }
    CHECK(table.replaced() <= 10);
}

TEST_CASE("a time before the start counts as the start", "[gateway]") {
    limit_table table(64, start);
    const auto allowed = made(10, 1s, 5);
    CHECK(pass(table, 1, "a", allowed, 10, start - 100s) == 5);
    CHECK(pass(table, 1, "a", allowed, 10, start) == 0);
    CHECK(pass(table, 1, "a", allowed, 10, start + 1s) == 5);
}

TEST_CASE("a hash is one of the limit and the whole subject", "[gateway]") {
    const subject_hash hash(subject_hash::key{1, 2, 3});
    const subject_hash other(subject_hash::key{1, 2, 4});
    std::set<std::uint64_t> seen;
    std::string subject;
    for (int i = 0; i < 300; ++i) {
        for (const std::uint32_t limit : {0U, 1U, 256U, ~0U}) {
            CHECK(seen.insert(hash(limit, subject)).second);
            CHECK(hash(limit, subject) == hash(limit, std::string(subject)));
            CHECK(hash(limit, subject) != other(limit, subject));
        }
        subject += static_cast<char>(i % 3);
    }
    CHECK_FALSE(seen.contains(0));
    CHECK(subject_hash()(1, "a") != subject_hash()(1, "a"));
}

TEST_CASE("several threads together get exactly what one would", "[gateway]") {
    const auto allowed = made(1, 3'600s, 100);
    for (int round = 0; round < 20; ++round) {
        limit_table table(64, start);
        const int passed =
            on_threads(4, [&](int) { return pass(table, 1, "everybody's", allowed, 100, start); });
        CHECK(passed == 100);
    }
}

TEST_CASE("several threads that begin with the same new subjects share one allowance each",
          "[gateway]") {
    const auto allowed = made(1, 3'600s, 2);
    for (int round = 0; round < 20; ++round) {
        limit_table table(1'024, start);
        const int passed = on_threads(4, [&](int) {
            int sum = 0;
            for (int i = 0; i < 100; ++i) {
                sum += pass(table, 1, fmt::format("{}", i), allowed, 2, start);
            }
            return sum;
        });
        CHECK(passed == 200);
        CHECK(table.used(start) == 100);
    }
}

TEST_CASE("over time several threads get exactly the rate", "[gateway]") {
    const auto allowed = made(1'000, 1s, 10);
    limit_table table(64, start);
    // All threads go through the same moments; the threads' order within one does not matter.
    std::barrier step(4);
    const int passed = on_threads(4, [&](int) {
        int sum = 0;
        for (int i = 0; i < 200; ++i) {
            step.arrive_and_wait();
            sum += pass(table, 1, "a", allowed, 4, start + i * 1ms);
        }
        return sum;
    });
    CHECK(passed == 10 + 199);
}

TEST_CASE("a flood of subjects from several threads is bounded and lets a strict limit stand",
          "[gateway]") {
    limit_table table(8, start);
    const auto strict = made(1, 3'600s, 1);
    const auto loose = made(1, 1s, 1);
    CHECK(table.take(1, "strict", strict, 1, start).allowed);
    const int passed = on_threads(4, [&](int thread) {
        int sum = 0;
        for (int i = 0; i < 2'000; ++i) {
            sum += table.take(2, fmt::format("{} {}", thread, i), loose, 1, start).allowed ? 1 : 0;
        }
        return sum;
    });
    CHECK(passed == 8'000);
    CHECK(table.replaced() >= 8'000 - 8);
    CHECK(table.used(start) <= 8);
    CHECK_FALSE(table.take(1, "strict", strict, 1, start).allowed);
}
