// Dead letters go back through the handler, edited, in the order of their keys.
#include "inbox/dead_letters.hpp"
#include "support/inbox_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("edited dead letters are redriven through the handler in the order of their keys",
          "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    for (int i = 0; i < 30; ++i) {
        on.publish("job-" + std::to_string(i % 3), "invalid");
    }
    on.wait_for_count("inbox_dead_letter", 30);
    metrics::registry metrics;
    pg::pool pool(on.database.pool_settings(1), metrics, log::logger());
    const auto transact = [&](auto work) {
        return test::await_on(on.loop, pool.transact("test", std::move(work)));
    };
    const auto ids = transact([](pg::transaction& tx) -> result<std::vector<std::int64_t>> {
        return inbox::find_redrivable(tx, {}, false);
    });
    REQUIRE(ids->size() == 30);
    const inbox::deed anna{"anna", "the rule was wrong"};
    const auto now = system_clock().now();
    for (const auto id : *ids) {
        const auto letter = transact([id](pg::transaction& tx) -> result<inbox::dead_letter> {
            return *inbox::find_dead_letter(tx, id);
        });
        const auto json = R"({"job_id":")" + letter->key + R"(","category":"at )" +
                          std::to_string(letter->offset) + R"("})";
        REQUIRE(transact([&](pg::transaction& tx) -> result<void> {
            const auto edited = inbox::edit(tx, id, json, now, anna);
            return edited ? inbox::redrive(tx, id, now, anna) : edited;
        }));
    }
    on.wait_for_effects(30);
    one.stop();
    for (const char* job : {"job-0", "job-1", "job-2"}) {
        const auto offsets = on.database.query(
            "select l.record_offset from inbox_dead_letter l where convert_from(key, 'UTF8') = '" +
            std::string(job) + "' order by 1");
        std::vector<std::string> expected;
        for (const auto& row : offsets) {
            expected.push_back("at " + row[0]);
        }
        CHECK(on.effects(job) == expected);
    }
    CHECK(on.count("inbox_held_key") == 0);
    CHECK(on.count("inbox_dead_letter") == 30); // none failed again
    CHECK(on.count("inbox_dead_letter_audit") == 60);
}
