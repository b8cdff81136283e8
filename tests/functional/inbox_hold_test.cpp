#include "support/inbox_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;
using texts = std::vector<std::string>;

namespace {

/// The last attempt of a job's category that took effect.
std::string attempt_of(const test::inbox_rig& on, const std::string& category) {
    return on.database.value("select attempt from effect where category = '" + category + "'");
}

std::string result_line(const std::string& result, int number) {
    return "kafka_consumer_processed_total{result=\"" + result +
           "\",topic=\"market.job.events.v1\"} " + std::to_string(number);
}

} // namespace

TEST_CASE("a failed event holds back its key, and only its key", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    on.publish("a", "before");
    on.publish("a", "fail-2");
    on.publish("a", "after-1");
    on.publish("b", "other-1");
    on.publish("a", "after-2");
    on.publish("b", "other-2");
    one.start();
    on.wait_for_effects(3);
    CHECK(on.effects() == texts{"before", "other-1", "other-2"});
    CHECK(on.count("inbox_parked") == 3);
    on.publish("a", "after-3");
    on.publish("b", "other-3");
    on.wait_for_effects(8);
    CHECK(on.effects("a") == texts{"before", "fail-2", "after-1", "after-2", "after-3"});
    CHECK(on.effects("b") == texts{"other-1", "other-2", "other-3"});
    CHECK(attempt_of(on, "fail-2") == "3");
    CHECK(attempt_of(on, "after-1") == "1");
    on.publish("a", "later");
    on.wait_for_effects(9);
    one.stop();
    CHECK(on.count("inbox_held_key") == 0);
    CHECK(on.count("inbox_parked") == 0);
    CHECK(on.database.value("select sum(held_keys) from inbox_watermark") == "0");
}

TEST_CASE("what can never succeed is buried at once and its key goes on", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    on.publish("a", "1");
    on.publish("a", "invalid");
    on.publish("a", "2");
    one.start();
    on.wait_for_effects(2);
    CHECK(on.effects() == texts{"1", "2"});
    const auto letters = on.database.query("select reason, attempts, type, topic, record_offset,"
                                           " errors->0->>'kind' from inbox_dead_letter");
    REQUIRE(letters.size() == 1);
    CHECK(letters[0] ==
          texts{"never", "1", "relais.market.v1.JobPublished", test::job_topic, "1", "invalid"});
    one.stop();
}

TEST_CASE("an event whose attempts are used up is buried and frees its key", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    on.publish("a", "fail-9");
    on.publish("a", "throw");
    on.publish("a", "break");
    on.publish("a", "last");
    one.start();
    on.wait_for_effects(1);
    CHECK(on.effects() == texts{"last"});
    const auto letters = on.database.query("select reason, attempts, jsonb_array_length(errors)"
                                           " from inbox_dead_letter order by id");
    REQUIRE(letters.size() == 3);
    CHECK(letters[0] == texts{"not-yet", "3", "3"});
    CHECK(letters[1] == texts{"db-pool-exception", "3", "3"});
    CHECK(letters[2] == texts{"not-null-violation", "1", "1"}); // invalid data: never again
    one.stop();
    CHECK(one.metrics().serialize().find(result_line("dead_letter", 3)) != std::string::npos);
    CHECK(on.count("inbox_held_key") == 0);
}

TEST_CASE("a held key survives a restart", "[inbox]") {
    test::inbox_rig on(1);
    {
        auto first = on.make_instance();
        on.publish("a", "fail-2");
        on.publish("a", "next");
        first.start();
        on.wait_for_count("inbox_parked", 2);
        first.stop();
    }
    auto second = on.make_instance();
    second.start();
    on.wait_for_effects(2);
    CHECK(on.effects() == texts{"fail-2", "next"});
    second.stop();
}

TEST_CASE("after the wall clock was set back, a held key does not wait for it", "[inbox]") {
    test::inbox_rig on(1);
    {
        auto first = on.make_instance();
        on.publish("a", "fail-2");
        on.publish("a", "next");
        first.start();
        on.wait_for_count("inbox_parked", 2);
        first.stop();
    }
    on.database.query("update inbox_held_key set next_at = next_at + interval '1 hour'");
    auto second = on.make_instance();
    second.start();
    on.wait_for_effects(2);
    CHECK(on.effects() == texts{"fail-2", "next"});
    second.stop();
}

TEST_CASE("an event waits for the snapshot it needs and is woken at once", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    on.send(on.make_contact("anna", 1));
    on.wait_for_count("contact", 1);
    auto needy = on.make_job("a", "needy");
    needy.needs = {{"contact", "anna", 2}};
    on.send(needy);
    on.publish("a", "behind");
    on.publish("b", "other");
    on.wait_for_effects(1);
    on.wait_for_count("inbox_parked", 2);
    CHECK(on.effects() == texts{"other"});
    CHECK(on.database.value("select waiting_for[1] from inbox_held_key") == "contact:anna:2");
    const auto begin = std::chrono::steady_clock::now();
    on.send(on.make_contact("anna", 2));
    on.wait_for_effects(3);
    CHECK(std::chrono::steady_clock::now() - begin < 1s);
    CHECK(on.effects("a") == texts{"needy", "behind"});
    CHECK(attempt_of(on, "needy") == "1");
    one.stop();
}

TEST_CASE("a snapshot that another instance received wakes too", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    auto needy = on.make_job("a", "needy");
    needy.needs = {{"contact", "bert", 1}};
    on.send(needy);
    on.wait_for_count("inbox_held_key", 1);
    on.database.query("insert into inbox_snapshot select consumer_group, 'contact', 'bert', 1"
                      " from inbox_held_key");
    on.wait_for_effects(1);
    one.stop();
}

TEST_CASE("a snapshot that does not come in time makes a dead letter", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    one.start();
    auto needy = on.make_job("a", "needy");
    needy.needs = {{"contact", "nobody", 1}};
    on.send(needy);
    on.publish("a", "next");
    on.wait_for_effects(1);
    CHECK(on.effects() == texts{"next"});
    CHECK(on.database.value("select reason from inbox_dead_letter") == "snapshot-missing");
    one.stop();
}

TEST_CASE("older snapshots are dropped, a tombstone erases and satisfies every need", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    on.send(on.make_contact("anna", 5));
    on.send(on.make_contact("anna", 4));
    on.send(on.make_contact("bert", 1));
    on.wait_for_count("contact", 2);
    CHECK(on.database.value("select version from contact where id = 'anna'") == "5");
    on.send(on.placed(
        events::make_tombstone(test::contact_topic, "anna", "web-api", {}, system_clock().now())));
    on.wait_until([&] { return on.count("contact") == 1; });
    auto needy = on.make_job("a", "needy");
    needy.needs = {{"contact", "anna", 9}};
    on.send(needy);
    on.wait_for_effects(1);
    one.stop();
}

TEST_CASE("a redriven dead letter runs in the order of its key, once", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    one.start();
    on.publish("a", "fail-3");
    on.publish("a", "next");
    on.wait_for_effects(1);
    CHECK(on.count("inbox_dead_letter") == 1);

    auto waiting = on.make_job("a", "needy");
    waiting.needs = {{"contact", "late", 1}};
    on.send(waiting);
    on.wait_for_count("inbox_held_key", 1);
    metrics::registry metrics;
    pg::pool pool(on.database.pool_settings(1), metrics, log::logger());
    const auto redrive = [&](std::int64_t id) {
        return test::await_on(on.loop, pool.transact("redrive", [id](pg::transaction& tx) {
            return inbox::redrive(tx, id, system_clock().now());
        }));
    };
    const auto id = std::stoll(on.database.value("select id from inbox_dead_letter"));
    on.database.query("update inbox_dead_letter set headers = headers"); // still readable
    REQUIRE(redrive(id));
    CHECK(redrive(id).error().slug == "already-redriven");
    CHECK(redrive(id + 100).error().slug == "no-such-dead-letter");
    // It fails again (its attempts begin anew), becomes a new dead letter, and frees its key.
    on.wait_for_count("inbox_dead_letter", 2);
    on.send(on.make_contact("late", 1));
    on.wait_for_effects(2);
    CHECK(on.effects() == texts{"next", "needy"});
    CHECK(on.database.value("select max(redrives) from inbox_dead_letter") == "1");
    CHECK(on.database.value("select jsonb_array_length(errors) from inbox_dead_letter"
                            " order by id desc limit 1") == "6");

    // Mended by hand, it goes through.
    on.database.query("update inbox_dead_letter set value = convert_to(E'\\n\\001a\\032\\005fixed',"
                      " 'UTF8') where redriven_at is null");
    REQUIRE(redrive(std::stoll(on.database.value("select max(id) from inbox_dead_letter"))));
    on.wait_for_effects(3);
    CHECK(on.effects().back() == "fixed");
    one.stop();
    CHECK(on.count("inbox_held_key") == 0);
}
