#include "support/inbox_rig.hpp"

using namespace relais;
using texts = std::vector<std::string>;

namespace {

/// Publishes jobs "j<number>" with the category "ok", before the consumer starts: one fetch brings
/// many.
void publish_jobs(test::inbox_rig& on, int first, int last) {
    for (int i = first; i <= last; ++i) {
        on.publish("j" + std::to_string(i), "ok");
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
}

} // namespace

TEST_CASE("a handler takes many events at once, each of another key", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_batch_instance();
    publish_jobs(on, 1, 100);
    publish_jobs(on, 1, 100);
    one.start();
    on.wait_for_effects(200);
    one.stop();
    CHECK(on.count("batch") < 20);
    CHECK(on.database.value("select count(*) from (select job from effect group by job"
                            " having count(*) = 2) twice") == "100");
    for (const auto& row : on.database.query("select jobs from batch")) {
        std::set<std::string> keys;
        std::istringstream words(row[0]);
        for (std::string word; words >> word;) {
            CHECK(keys.insert(word).second);
        }
    }
}

TEST_CASE("an event that a batch handler cannot take is found, and only its key waits", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_batch_instance();
    publish_jobs(on, 1, 40);
    on.publish("bad", "fail-2");
    on.publish("worse", "invalid");
    on.publish("bad", "after");
    publish_jobs(on, 41, 80);
    one.start();
    on.wait_for_effects(82);
    one.stop();
    CHECK(on.effects("bad") == texts{"fail-2", "after"});
    CHECK(on.count("effect") == 82);
    CHECK(on.database.value("select reason || attempts from inbox_dead_letter") == "never1");
    CHECK(on.count("inbox_held_key") == 0);
}

TEST_CASE("an undecodable message in a batch becomes a dead letter, the others are handled",
          "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_batch_instance();
    publish_jobs(on, 1, 10);
    auto broken = on.make_job("broken", "ok");
    broken.payload = "\xff\xff";
    on.send(broken);
    publish_jobs(on, 11, 20);
    one.start();
    on.wait_for_effects(20);
    on.wait_for_count("inbox_dead_letter", 1);
    one.stop();
    CHECK(on.database.value("select reason from inbox_dead_letter") == "undecodable-payload");
    CHECK(on.count("effect") == 20);
}
