#include "events/partitioner.hpp"
#include "inbox/slices.hpp"
#include "support/inbox_rig.hpp"

using namespace relais;
using texts = std::vector<std::string>;

namespace {

/// Two jobs of different slices.
std::pair<std::string, std::string> two_jobs(int count) {
    const std::string first = "job-0";
    for (int i = 1;; ++i) {
        const auto other = "job-" + std::to_string(i);
        if (inbox::slice_of(other, count) != inbox::slice_of(first, count)) {
            return {first, other};
        }
    }
}

} // namespace

TEST_CASE("keys are spread over slices, whatever the partition", "[inbox]") {
    std::map<int, int> keys;
    for (int i = 0; i < 120'000; ++i) {
        const auto key = "job-" + std::to_string(i);
        if (events::partition_of(key, 12U) == 5) {
            ++keys[inbox::slice_of(key, 4)];
        }
    }
    REQUIRE(keys.size() == 4);
    for (const auto& [slice, count] : keys) {
        CHECK(count > 2'200); // of about 10,000
    }
}

TEST_CASE("keys of one partition are handled side by side, each in its order", "[inbox]") {
    test::inbox_rig on(1);
    const auto [a, b] = two_jobs(2);
    on.publish(a, "1");
    on.publish(b, "1");
    on.publish(a, "meet");
    on.publish(b, "meet");
    on.publish(a, "2");
    on.publish(b, "2");
    auto one = on.make_divided_instance(2);
    one.start();
    on.wait_for_effects(6);
    on.wait_for_count("inbox_slice", 0);
    one.stop();
    CHECK(on.effects(a) == texts{"1", "meet", "2"});
    CHECK(on.effects(b) == texts{"1", "meet", "2"});
    CHECK(on.count("inbox_dead_letter") == 0);
    CHECK(on.database.value("select next_offset from inbox_watermark") == "6");
    CHECK(on.database.value("select held_keys from inbox_watermark") == "0");
    CHECK(on.database.value("select max(lsn) from inbox_watermark") == std::to_string(on.lsn));
}

TEST_CASE("a slice that came further than the others is not repeated", "[inbox]") {
    test::inbox_rig on(1);
    const auto [a, b] = two_jobs(2);
    on.publish(a, "1");
    on.publish(b, "1");
    auto first = on.make_divided_instance(2);
    first.start();
    on.wait_for_effects(2);
    on.wait_for_count("inbox_slice", 0);
    first.stop();
    // As a process leaves it that ends between two slices: a's event is handled, b's is not.
    on.publish(a, "2");
    on.publish(b, "2");
    on.database.query("insert into inbox_slice select consumer_group, topic, partition, " +
                      std::to_string(inbox::slice_of(a, 2)) +
                      ", 2, source, epoch, lsn + 1, 0, recent,"
                      " 3, 0 from inbox_watermark");
    auto second = on.make_instance(); // of one slice
    second.start();
    on.wait_for_effects(3);
    on.wait_for_count("inbox_slice", 0);
    on.publish(a, "3");
    on.wait_for_effects(4);
    second.stop();
    CHECK(on.effects(a) == texts{"1", "3"});
    CHECK(on.effects(b) == texts{"1", "2"});
    CHECK(on.database.value("select next_offset from inbox_watermark") == "5");
}

// ops.audit.events.v1 has several producers: whose positions count is decided for the partition.
TEST_CASE("on a topic of two sources, what comes again in another slice counts once", "[inbox]") {
    test::inbox_rig on(1);
    const auto [a, b] = two_jobs(2);
    on.publish(a, "1");
    on.source = "upload:1";
    const auto second = on.make_job(b, "1");
    on.send(second);
    auto one = on.make_divided_instance(2);
    one.start();
    on.wait_for_effects(2);
    on.wait_for_count("inbox_slice", 0);
    on.send(second);
    on.source = "web-api:1";
    on.publish(a, "2");
    on.wait_for_effects(3);
    on.wait_for_count("inbox_slice", 0);
    one.stop();
    CHECK(on.effects(a) == texts{"1", "2"});
    CHECK(on.effects(b) == texts{"1"});
}
