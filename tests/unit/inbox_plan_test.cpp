#include "inbox/plan.hpp"
#include "inbox/waits.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using inbox::step;

namespace {

/// Decides on events of one partition, one after the other.
struct partition {
    inbox::knowledge known;
    std::uint64_t lsn = 0;

    events::event make(const std::string& key) {
        events::event made;
        made.id = event_id::make();
        made.key = key;
        made.position = events::position{"web-api:1", ++lsn, 0};
        return made;
    }

    step decide(const events::event& event, bool handled = true) {
        return inbox::decide(
            {.event = &event, .offset = static_cast<std::int64_t>(lsn), .handled = handled}, known);
    }
};

const events::snapshot_need contact_v2{"contact", "anna", 2};

} // namespace

TEST_CASE("an event that waits holds back the later ones of its key only", "[inbox]") {
    partition on;
    CHECK(on.decide(on.make("a")) == step::run);
    auto needy = on.make("a");
    needy.needs = {contact_v2};
    CHECK(on.decide(needy) == step::park_waiting);
    CHECK(on.decide(on.make("a")) == step::park_behind);
    CHECK(on.decide(on.make("b")) == step::run);
    CHECK(on.decide(on.make("a")) == step::park_behind);
}

TEST_CASE("keys that were held before the batch stay held", "[inbox]") {
    partition on;
    on.known.held = {"a"};
    CHECK(on.decide(on.make("a")) == step::park_behind);
    CHECK(on.decide(on.make("b")) == step::run);
}

TEST_CASE("a need is met by the version or a later one, or by an erasure", "[inbox]") {
    const auto decide_with = [](std::optional<std::uint64_t> version) {
        partition on;
        if (version) {
            on.known.snapshots[{"contact", "anna"}] = *version;
        }
        auto event = on.make("a");
        event.needs = {contact_v2};
        return on.decide(event);
    };
    CHECK(decide_with(std::nullopt) == step::park_waiting);
    CHECK(decide_with(1) == step::park_waiting);
    CHECK(decide_with(2) == step::run);
    CHECK(decide_with(3) == step::run);
    CHECK(decide_with(inbox::any_version) == step::run);
}

TEST_CASE("a duplicate is dropped before anything else", "[inbox]") {
    partition on;
    const auto event = on.make("a");
    CHECK(on.decide(event) == step::run);
    on.known.held = {"a"};
    CHECK(on.decide(event) == step::duplicate);
}

TEST_CASE("events without positions count once by their id", "[inbox]") {
    partition on;
    auto event = on.make("a");
    event.position.reset();
    on.known.unseen = {event.id};
    CHECK(on.decide(event) == step::run);
    CHECK(on.decide(event) == step::duplicate);
}

TEST_CASE("unknown types and expired events are skipped", "[inbox]") {
    partition on;
    on.known.now = timestamp(std::chrono::seconds(1'000));
    CHECK(on.decide(on.make("a"), false) == step::unknown_type);
    auto late = on.make("a");
    late.expires_at = timestamp(std::chrono::seconds(1'000));
    CHECK(on.decide(late) == step::expired);
    auto in_time = on.make("a");
    in_time.expires_at = timestamp(std::chrono::seconds(1'001));
    CHECK(on.decide(in_time) == step::run);
}

TEST_CASE("tombstones erase where they belong", "[inbox]") {
    partition on;
    const auto decide_as = [&](bool compacted, bool handled) {
        auto grave = on.make("a");
        grave.tombstone = true;
        return inbox::decide({.event = &grave,
                              .offset = static_cast<std::int64_t>(on.lsn),
                              .handled = handled,
                              .compacted_topic = compacted},
                             on.known);
    };
    CHECK(decide_as(true, true) == step::erase);
    CHECK(decide_as(true, false) == step::unknown_type);
    CHECK(decide_as(false, false) == step::bury);
    on.known.held = {"a"};
    CHECK(decide_as(true, true) == step::park_behind);
}

TEST_CASE("an unreadable record is a dead letter once", "[inbox]") {
    partition on;
    CHECK(inbox::decide({.offset = 4}, on.known) == step::bury);
    on.known.mark.next_offset = 5;
    CHECK(inbox::decide({.offset = 4}, on.known) == step::duplicate);
}

TEST_CASE("needs survive their text form", "[inbox]") {
    CHECK(inbox::to_text(contact_v2) == "contact:anna:2");
    CHECK(inbox::need_from_text("contact:anna:2") == contact_v2);
    const events::snapshot_need odd{"job", "a:b", 18'446'744'073'709'551'615U};
    CHECK(inbox::need_from_text(inbox::to_text(odd)) == odd);
}

TEST_CASE("a snapshot's arrival wakes who waits for it, once", "[inbox]") {
    inbox::waits waiting;
    const kafka::topic_partition where{"market.job.events.v1", 3};
    waiting.add(where, {"job-1", {}, {contact_v2}});
    waiting.add(where, {"job-2", {}, {{"contact", "anna", 5}}});
    waiting.add({"other", 1}, {"job-3", {}, {contact_v2, {"job", "x", 1}}});

    CHECK(waiting.arrived({"contact", "anna", 1}).empty());
    CHECK(waiting.arrived({"contact", "bert", 9}).empty());
    CHECK(waiting.arrived({"contact", "anna", 2}).size() == 2); // job-3 looks again by itself
    CHECK(waiting.arrived({"contact", "anna", 2}).empty());
    CHECK(waiting.needs(10).size() == 1);
    CHECK(waiting.satisfied_by({{{"contact", "anna"}, 4}}).empty());
    const auto woken = waiting.satisfied_by({{{"contact", "anna"}, 5}});
    REQUIRE(woken.size() == 1);
    CHECK(woken[0].key == "job-2");
    CHECK(waiting.empty());
}

TEST_CASE("a partition that goes takes its waiters along", "[inbox]") {
    inbox::waits waiting;
    waiting.add({"t", 1}, {"a", {}, {contact_v2}});
    waiting.add({"t", 2}, {"b", {}, {contact_v2}});
    waiting.forget(kafka::topic_partition{"t", 1});
    const auto woken = waiting.arrived(contact_v2);
    REQUIRE(woken.size() == 1);
    CHECK(woken[0].key == "b");
}
