#include "outbox/confirmation_ring.hpp"

#include <catch2/catch_test_macros.hpp>

#include <random>

using namespace relais;
using outbox::confirmation_ring;

TEST_CASE("a position is confirmed when everything before it was delivered", "[outbox]") {
    confirmation_ring ring(100);
    const timestamp early{std::chrono::seconds(1)};
    const timestamp late{std::chrono::seconds(2)};
    ring.open(early);
    const auto a = ring.sent();
    const auto b = ring.sent();
    ring.close(200);
    ring.open(late);
    const auto c = ring.sent();
    ring.close(300);
    CHECK(ring.outstanding() == 3);
    CHECK(ring.oldest() == early);

    ring.delivered(c);
    CHECK_FALSE(ring.advance());
    ring.delivered(a);
    CHECK_FALSE(ring.advance());
    CHECK(ring.confirmed() == 100);
    ring.delivered(b);
    CHECK(ring.advance());
    CHECK(ring.confirmed() == 300);
    CHECK(ring.outstanding() == 0);
    CHECK(ring.oldest() == std::nullopt);
}

TEST_CASE("a transaction that is still being read is not confirmed", "[outbox]") {
    confirmation_ring ring(0);
    ring.open({});
    ring.delivered(ring.sent());
    ring.mark(500); // a keepalive in the middle says nothing
    CHECK_FALSE(ring.advance());
    ring.close(400);
    CHECK(ring.advance());
    CHECK(ring.confirmed() == 400);
}

TEST_CASE("marks count when what is before them is delivered", "[outbox]") {
    confirmation_ring ring(0);
    ring.mark(10);
    CHECK(ring.advance());
    CHECK(ring.confirmed() == 10);
    ring.open({});
    const auto a = ring.sent();
    ring.close(20);
    ring.mark(30);
    ring.mark(40);
    CHECK_FALSE(ring.advance());
    CHECK(ring.confirmed() == 10);
    ring.delivered(a);
    CHECK(ring.advance());
    CHECK(ring.confirmed() == 40);
    ring.mark(35);
    CHECK_FALSE(ring.advance());
}

TEST_CASE("empty transactions and repeated positions do no harm", "[outbox]") {
    confirmation_ring ring(50);
    ring.open({});
    ring.close(40); // before what was confirmed: never back
    CHECK_FALSE(ring.advance());
    CHECK(ring.confirmed() == 50);
}

TEST_CASE("deliveries in any order never confirm too much", "[outbox]") {
    std::mt19937 random(20261123);
    for (int round = 0; round < 200; ++round) {
        confirmation_ring ring(0);

        struct sent_event {
            confirmation_ring::ticket ticket;
            outbox::lsn end;
        };

        std::vector<sent_event> flying;
        outbox::lsn end = 0;
        for (int step = 0; step < 200; ++step) {
            if (random() % 2 == 0) {
                end += 10;
                ring.open({});
                for (unsigned i = random() % 4; i > 0; --i) {
                    flying.push_back({ring.sent(), end});
                }
                ring.close(end);
            } else if (!flying.empty()) {
                const auto which = random() % flying.size();
                ring.delivered(flying[which].ticket);
                flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(which));
            }
            ring.advance();
            for (const auto& each : flying) {
                REQUIRE(ring.confirmed() < each.end);
            }
            REQUIRE(ring.outstanding() == flying.size());
        }
    }
}
