#include "events/in_flight.hpp"
#include "events/partitioner.hpp"
#include "inbox/watermark.hpp"
#include "outbox/lease.hpp"
#include "outbox/targets.hpp"
#include "outbox/topic_check.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("a lease holds for five seconds from the question, not from the answer", "[outbox]") {
    outbox::lease right;
    const outbox::lease::time_point asked{100s};
    CHECK_FALSE(right.holds(asked)); // never renewed
    right.renew(asked);
    CHECK(right.holds(asked));
    CHECK(right.holds(asked + 4999ms));
    CHECK_FALSE(right.holds(asked + 5s));
    right.renew(asked + 6s);
    CHECK(right.holds(asked + 10s));
}

TEST_CASE("targets are the partitions of the topics file", "[outbox]") {
    outbox::targets all;
    auto& one = all.of("market.job.events.v1", "abc");
    CHECK(one.partition == events::partition_of("abc", 12U));
    ++one.in_flight;
    CHECK(&all.of("market.job.events.v1", "abc") == &one);
    CHECK(all.of("market.job.snapshots.v1", "abc").in_flight == 0);
    // A topic that nobody knows is left to the producer, and is one target.
    CHECK(all.of("no.such.topic.v1", "a").partition == -1);
    CHECK(&all.of("no.such.topic.v1", "a") == &all.of("no.such.topic.v1", "b"));
}

TEST_CASE("what a relay may have in flight is what consumers remember", "[outbox][inbox]") {
    // Else events of a frozen relay would be handled twice.
    STATIC_CHECK(inbox::recent_ids_max >= 2 * events::in_flight_max);
}

TEST_CASE("a wrong partition count is named with the way out, a missing topic is not", "[outbox]") {
    auto topic = *events::find_topic("market.job.events.v1");
    const std::vector<events::topic> wanted{topic};
    CHECK(outbox::compare_partitions(wanted, {}, "p."));
    CHECK(outbox::compare_partitions(wanted, {{topic.name, 3, 1}}, "p.")); // another name
    CHECK(outbox::compare_partitions(wanted, {{"p." + topic.name, 12, 1}}, "p."));
    const auto refused = outbox::compare_partitions(wanted, {{"p." + topic.name, 3, 1}}, "p.");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "partition-count");
    for (const auto* part : {"market.job.events.v1", "has 3 partitions", "says 12", "v2"}) {
        CHECK(refused.error().detail.find(part) != std::string::npos);
    }
}
