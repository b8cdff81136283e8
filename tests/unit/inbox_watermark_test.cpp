#include "inbox/watermark.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using inbox::novelty;

namespace {

events::event positioned(const std::string& source, std::uint64_t lsn, std::uint32_t index) {
    events::event made;
    made.id = event_id::make();
    made.key = "k";
    made.position = events::position{source, lsn, index};
    return made;
}

events::event without_position() {
    events::event made;
    made.id = event_id::make();
    return made;
}

} // namespace

TEST_CASE("positions decide what is new: epoch, then LSN, then index", "[inbox]") {
    struct row {
        const char* source;
        std::uint64_t lsn;
        std::uint32_t index;
        novelty expected;
    };

    const auto next = GENERATE(
        row{"web-api:2", 100, 5, novelty::duplicate}, row{"web-api:2", 100, 4, novelty::duplicate},
        row{"web-api:2", 99, 9, novelty::duplicate}, row{"web-api:1", 999, 0, novelty::duplicate},
        row{"web-api:2", 100, 6, novelty::fresh}, row{"web-api:2", 101, 0, novelty::fresh},
        row{"web-api:3", 1, 0, novelty::fresh}, row{"web-api:10", 1, 0, novelty::fresh},
        row{"upload:9", 999, 0, novelty::by_id});
    inbox::watermark mark;
    inbox::advance(mark, positioned("web-api:2", 100, 5));
    CHECK(inbox::judge(mark, positioned(next.source, next.lsn, next.index), 0) == next.expected);
}

TEST_CASE("the first event of a partition is new, whatever its position", "[inbox]") {
    const inbox::watermark empty;
    CHECK(inbox::judge(empty, positioned("web-api:0", 0, 0), 0) == novelty::fresh);
    CHECK(inbox::judge(empty, without_position(), 0) == novelty::by_id);
}

TEST_CASE("offsets that another instance handled are duplicates", "[inbox]") {
    inbox::watermark mark;
    mark.next_offset = 10;
    CHECK(inbox::judge(mark, positioned("web-api:1", 5, 0), 9) == novelty::duplicate);
    CHECK(inbox::judge(mark, without_position(), 9) == novelty::duplicate);
    CHECK(inbox::judge(mark, without_position(), 10) == novelty::by_id);
}

TEST_CASE("what a repaired relay publishes again is found by its id", "[inbox]") {
    inbox::watermark mark;
    auto event = positioned("web-api:1", 100, 0);
    inbox::advance(mark, event);
    event.position = events::position{"web-api:2", 50, 0};
    CHECK(inbox::judge(mark, event, 0) == novelty::duplicate);
    for (std::size_t i = 0; i < inbox::recent_ids_max; ++i) {
        inbox::advance(mark, positioned("web-api:1", 200 + i, 0));
    }
    CHECK(mark.recent.size() == inbox::recent_ids_max * 8);
    CHECK(inbox::judge(mark, event, 0) == novelty::fresh); // too long ago for the ring
}

TEST_CASE("a repair's own events do not push out what an old relay had in flight", "[inbox]") {
    inbox::watermark mark;
    std::vector<events::event> old;
    for (std::size_t i = 0; i < 500; ++i) {
        old.push_back(positioned("web-api:1", 100 + i, 0));
        inbox::advance(mark, old.back());
    }
    const std::vector<events::event> in_flight(
        old.end() - static_cast<std::ptrdiff_t>(events::in_flight_max), old.end());
    // Under the new epoch: many events that the old relay never read, those it had in flight, more.
    std::uint32_t index = 0;
    const auto place = [&](events::event value) {
        value.position = events::position{"web-api:2", 0, ++index};
        return value;
    };
    const auto handle_new = [&](int count) {
        for (int i = 0; i < count; ++i) {
            const auto next = place(positioned("", 0, 0));
            REQUIRE(inbox::judge(mark, next, 0) == novelty::fresh);
            inbox::advance(mark, next);
        }
    };
    handle_new(300);
    for (const auto& each : in_flight) {
        CHECK(inbox::judge(mark, place(each), 0) == novelty::duplicate);
        handle_new(1);
    }
    handle_new(300);
    CHECK(inbox::judge(mark, place(in_flight.front()), 0) == novelty::duplicate);
    CHECK(mark.recent.size() == inbox::recent_ids_max * 8);
    // The stream follows: now the newest count.
    for (std::size_t i = 0; i < inbox::recent_ids_max; ++i) {
        inbox::advance(mark, positioned("web-api:2", 900 + i, 0));
    }
    CHECK(inbox::judge(mark, place(in_flight.back()), 0) == novelty::duplicate); // by position
    auto again = in_flight.back();
    again.position = events::position{"web-api:3", 0, 1};
    CHECK(inbox::judge(mark, again, 0) == novelty::fresh);
}

TEST_CASE("a watermark never goes back", "[inbox]") {
    inbox::watermark mark;
    inbox::advance(mark, positioned("web-api:2", 100, 0));
    inbox::advance(mark, positioned("web-api:1", 500, 0));
    inbox::advance(mark, positioned("web-api:2", 99, 7));
    inbox::advance(mark, positioned("other:9", 999, 7));
    inbox::advance(mark, without_position());
    CHECK(mark.source == "web-api");
    CHECK(mark.epoch == 2);
    CHECK(mark.lsn == 100);
    CHECK(mark.index == 0);
}
