#include "gateway/access/access_ring.hpp"
#include "support/access_records.hpp"

#include <catch2/catch_test_macros.hpp>

#include <poll.h>
#include <thread>
#include <vector>

using namespace relais;
using namespace relais::gateway;

namespace {

access_record numbered(std::uint64_t number) {
    access_record made;
    made.response_bytes = number;
    return made;
}

std::vector<std::uint64_t> take_all(access_ring& ring, std::size_t at_most = 1'000) {
    std::vector<std::uint64_t> numbers;
    ring.take(at_most, [&](const access_record& each) { numbers.push_back(each.response_bytes); });
    return numbers;
}

bool rang(const doorbell& bell) {
    pollfd asked{bell.descriptor(), POLLIN, 0};
    return ::poll(&asked, 1, 0) == 1;
}

} // namespace

TEST_CASE("a ring gives records in their order, and drops what finds no room", "[gateway]") {
    doorbell bell;
    access_ring ring(8, bell);
    REQUIRE(ring.capacity() == 8);
    for (std::uint64_t round = 0; round < 5; ++round) {
        for (std::uint64_t i = 0; i < 8; ++i) {
            CHECK(ring.push(numbered(10 * round + i)));
        }
        CHECK_FALSE(ring.push(numbered(8)));
        CHECK(ring.size() == 8);
        CHECK(take_all(ring, 3) ==
              std::vector<std::uint64_t>{10 * round, 10 * round + 1, 10 * round + 2});
        CHECK(ring.push(numbered(10 * round + 8)));
        CHECK(take_all(ring).back() == 10 * round + 8);
        CHECK(ring.size() == 0);
        CHECK(ring.dropped() == round + 1);
    }
}

TEST_CASE("a ring's size is a power of two", "[gateway]") {
    doorbell bell;
    CHECK(access_ring(0, bell).capacity() == 4);
    CHECK(access_ring(5, bell).capacity() == 8);
    CHECK(access_ring(8'192, bell).capacity() == 8'192);
}

TEST_CASE("the bell rings when a quarter is full, for a sleeper only", "[gateway]") {
    doorbell bell;
    access_ring ring(16, bell);
    for (std::uint64_t i = 0; i < 8; ++i) {
        ring.push(numbered(i));
    }
    CHECK_FALSE(rang(bell)); // nobody listened
    take_all(ring);
    bell.listen();
    for (std::uint64_t i = 0; i < 3; ++i) {
        ring.push(numbered(i));
    }
    CHECK_FALSE(rang(bell));
    ring.push(numbered(3));
    CHECK(rang(bell));
    bell.answer();
    CHECK_FALSE(rang(bell));
    ring.push(numbered(4));
    CHECK_FALSE(rang(bell));
}

TEST_CASE("between two threads no record is lost, repeated or torn", "[gateway]") {
    constexpr std::uint64_t count = 200'000;
    doorbell bell;
    access_ring ring(256, bell);
    std::uint64_t dropped = 0;
    std::jthread pushing([&] {
        access_record record;
        for (std::uint64_t i = 1; i <= count; ++i) {
            record.request_bytes = i;
            record.response_bytes = i;
            record.user_agent.assign(std::to_string(i));
            if (!ring.push(record)) {
                ++dropped;
                std::this_thread::yield();
            }
        }
    });
    std::uint64_t last = 0;
    std::uint64_t taken = 0;
    bool whole = true;
    while (last < count && taken + ring.dropped() < count) {
        ring.take(64, [&](const access_record& each) {
            whole = whole && each.response_bytes > last &&
                    each.request_bytes == each.response_bytes &&
                    each.user_agent.view() == std::to_string(each.response_bytes);
            last = each.response_bytes;
            ++taken;
        });
    }
    pushing.join();
    CHECK(whole);
    CHECK(dropped == ring.dropped());
    CHECK(taken + dropped == count);
}

TEST_CASE("a sleeper that the bell wakes sees what was pushed", "[gateway]") {
    constexpr std::uint64_t rounds = 2'000;
    doorbell bell;
    access_ring ring(4, bell); // a quarter is one record
    std::atomic<std::uint64_t> seen{0};
    std::jthread pushing([&] {
        for (std::uint64_t i = 1; i <= rounds; ++i) {
            ring.push(numbered(i));
            while (seen.load() < i) {
                std::this_thread::yield();
            }
        }
    });
    while (seen.load() < rounds) {
        bell.listen();
        if (!ring.is_quarter_full()) {
            pollfd asked{bell.descriptor(), POLLIN, 0};
            REQUIRE(::poll(&asked, 1, 10'000) == 1); // a lost ring would be a time-out
        }
        bell.answer();
        ring.take(4, [&](const access_record& each) { seen.store(each.response_bytes); });
    }
}
