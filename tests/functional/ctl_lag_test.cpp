#include "support/inbox_rig.hpp"
#include "support/relaisctl.hpp"

using namespace relais;

TEST_CASE("lag shows how far a consumer is behind, in records and seconds", "[ctl]") {
    test::inbox_rig on(1);
    for (int i = 0; i < 5; ++i) {
        on.publish("a", std::to_string(i));
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(std::chrono::seconds(10))));
    // The tool knows no prefixes: the watermark of a group that reads the topic by its whole name.
    const auto topic = on.topics.prefix() + test::job_topic;
    on.database.query("insert into inbox_watermark (consumer_group, topic, partition, next_offset,"
                      " held_keys) values ('g', '" +
                      topic + "', 0, 2, 1)");
    const auto ctl = [&](const std::string& words) {
        return test::relaisctl(on.database, "lag --service upload " + words);
    };
    const auto text = ctl("");
    CHECK(text.code == 0);
    CHECK(text.has("lag        3"));
    CHECK(text.has("3 records wait in 1 partitions, 1 keys are held"));
    const auto json = ctl("--json");
    CHECK(json.has(R"("next_offset":2,"end_offset":5,"lag_records":3,"lag_seconds":)"));
    CHECK_FALSE(json.has(R"("lag_seconds":0,)"));
    CHECK(ctl("--max-age 3600").code == 0);
    const auto late = ctl("--max-age 0");
    CHECK(late.code == 1);
    CHECK(late.has("events-too-old"));
    CHECK(ctl("--max-age soon").code == 2);
    on.database.query("update inbox_watermark set next_offset = 5, held_keys = 0");
    CHECK(ctl("--max-age 0").code == 0);
}
