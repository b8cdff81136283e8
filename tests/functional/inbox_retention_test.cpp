#include "support/inbox_rig.hpp"

using namespace relais;

namespace {

const std::string topic = "market.job.events.v1";

/// Where a consumer's only partition goes on.
std::int64_t position(const test::inbox_rig& on) {
    return std::stoll(
        on.database.value("select next_offset from inbox_watermark where topic = '" + topic + "'"));
}

double lost_records(test::inbox_instance& instance) {
    return instance.metrics().counter("inbox_lost_records_total", "", {{"topic", topic}}).value();
}

} // namespace

TEST_CASE("records that were deleted before they were read are counted, the rest is handled",
          "[inbox]") {
    test::inbox_rig on(1);
    {
        auto first = on.make_instance();
        first.start();
        on.publish("a", "1");
        on.wait_for_effects(1);
        first.stop();
    }
    REQUIRE(position(on) == 1);
    for (int i = 2; i <= 6; ++i) {
        on.publish("a", std::to_string(i));
    }
    on.topics.forget_before(topic, 0, 4); // offsets 1, 2, 3: never read

    auto second = on.make_instance();
    second.start();
    on.wait_for_effects(3);
    CHECK(on.effects() == std::vector<std::string>{"1", "5", "6"});
    CHECK(lost_records(second) == 3);
    second.stop();
    CHECK(position(on) == 6);

    // What was lost once is not counted again.
    auto third = on.make_instance();
    third.start();
    on.publish("a", "7");
    on.wait_for_effects(4);
    CHECK(lost_records(third) == 0);
    third.stop();
}

TEST_CASE("a topic that was made anew is read from its begin, what is known of it counts once",
          "[inbox]") {
    test::inbox_rig on(1);
    const auto first_event = on.make_job("a", "1");
    {
        auto first = on.make_instance();
        first.start();
        on.send(first_event);
        on.publish("a", "2");
        on.publish("a", "3");
        on.wait_for_effects(3);
        first.stop();
    }
    REQUIRE(position(on) == 3);
    const auto name = on.topics.prefix() + topic;
    REQUIRE(on.topics.admin().remove(name));
    REQUIRE(on.topics.admin().create({.name = name, .partitions = 1, .config = {}}));
    on.send(first_event); // at offset 0 of the new topic
    on.publish("a", "4");

    auto second = on.make_instance();
    second.start();
    on.wait_for_effects(4);
    CHECK(on.effects() == std::vector<std::string>{"1", "2", "3", "4"});
    second.stop();
    CHECK(position(on) == 2);
}
