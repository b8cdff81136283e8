#include "support/inbox_rig.hpp"

#include <algorithm>
#include <set>

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("events are handled once, in the order of their keys, while positions move", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    for (int i = 0; i < 300; ++i) {
        on.publish("job-" + std::to_string(i % 7), std::to_string(i));
    }
    on.wait_for_effects(300);
    for (int job = 0; job < 7; ++job) {
        std::vector<std::string> expected;
        for (int i = job; i < 300; i += 7) {
            expected.push_back(std::to_string(i));
        }
        CHECK(on.effects("job-" + std::to_string(job)) == expected);
    }
    one.stop();
    CHECK(on.count("effect") == 300);
    CHECK(on.database.value("select sum(next_offset) from inbox_watermark") == "300");
    CHECK(on.database.value("select max(lsn) from inbox_watermark") == std::to_string(on.lsn));
    CHECK(on.database.value("select max(fruitless_starts) from inbox_watermark") == "0");
}

TEST_CASE("after a restart it goes on where the database says", "[inbox]") {
    test::inbox_rig on;
    {
        auto first = on.make_instance();
        first.start();
        on.publish("a", "1");
        on.wait_for_effects(1);
        first.stop();
    }
    on.publish("a", "2");
    auto second = on.make_instance();
    second.start();
    on.wait_for_effects(2);
    on.publish("a", "3");
    on.wait_for_effects(3);
    CHECK(on.effects() == std::vector<std::string>{"1", "2", "3"});
    second.stop();
}

TEST_CASE("what a relay sends again is dropped by its position", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    std::vector<events::event> sent;
    for (int i = 0; i < 20; ++i) {
        sent.push_back(on.make_job("job-" + std::to_string(i % 3), std::to_string(i)));
        on.send(sent.back());
    }
    on.wait_for_effects(20);
    for (int round = 0; round < 10; ++round) {
        for (const auto& event : sent) {
            on.send(event); // a relay that begins again at an old position
        }
    }
    on.source = "web-api:2"; // one that repaired itself: a new epoch, the same events
    on.lsn = 0;
    for (const auto& event : sent) {
        on.send(on.placed(event));
    }
    on.publish("job-0", "new");
    on.wait_for_effects(21);
    CHECK(on.effects().back() == "new");
    one.stop();
    CHECK(on.count("effect") == 21);
}

TEST_CASE("an event is handled some milliseconds after it was published", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    on.publish("a", "warm");
    on.wait_for_effects(1);
    const auto handled = one.metrics().counter("kafka_consumer_processed_total", "",
                                               {{"topic", test::job_topic}, {"result", "ok"}});
    for (int i = 0; i < 100; ++i) {
        const auto before = handled.value();
        on.publish("job-" + std::to_string(i % 9), "x");
        on.wait_until([&] { return handled.value() > before; });
    }
    one.stop();
    const auto page = one.metrics().serialize();
    const auto line =
        "kafka_consumer_event_age_seconds_bucket{topic=\"" + test::job_topic + "\",le=\"0.25\"} ";
    const auto place = page.find(line);
    REQUIRE(place != std::string::npos);
    // A busy machine may be slow now and then; waiting for a timer somewhere would be slow always.
    CHECK(std::stoi(page.substr(place + line.size())) >= 90);
}

TEST_CASE("events without positions count once by their id", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance();
    one.start();
    auto event = on.make_job("a", "1");
    event.position.reset();
    on.send(event);
    on.send(event);
    on.wait_for_effects(1);
    on.send(event);
    on.publish("a", "2");
    on.wait_for_effects(2);
    CHECK(on.effects() == std::vector<std::string>{"1", "2"});
    CHECK(on.count("inbox_seen") == 1);
    one.stop();
}

TEST_CASE("unknown types and expired events are skipped, the unreadable is buried", "[inbox]") {
    test::inbox_rig on(1);
    auto one = on.make_instance();
    one.start();
    relais::market::v1::OfferMade offer;
    offer.set_job_id("a");
    const auto now = system_clock().now();
    on.send(on.placed(events::make_event(offer, "web-api", {}, now)));
    auto late = on.make_job("a", "late");
    late.expires_at = now - 1s;
    on.send(late);
    auto broken = kafka::to_record(on.make_job("a", "broken"));
    broken.value = "\xff\xff\xff";
    on.send(broken);
    on.send({.topic = test::job_topic,
             .key = "\xff",
             .value = "no envelope",
             .headers = {{"odd", "\xfe"}}});
    auto grave = on.make_job("a", "");
    grave.tombstone = true;
    on.send(grave);
    on.publish("a", "last");
    on.wait_for_effects(1);
    CHECK(on.effects() == std::vector<std::string>{"last"});
    const auto letters = on.database.query(
        "select reason, attempts, encode(key, 'hex'), encode(value, 'hex') from inbox_dead_letter"
        " order by id");
    REQUIRE(letters.size() == 3);
    CHECK(letters[0] == std::vector<std::string>{"undecodable-payload", "1", "61", "ffffff"});
    CHECK(letters[1][0] == "bad-envelope");
    CHECK(letters[1][2] == "ff");
    CHECK(letters[2] == std::vector<std::string>{"unexpected-tombstone", "0", "61", "<null>"});
    one.stop();
    const auto page = one.metrics().serialize();
    CHECK(page.find("result=\"unknown_type\",topic=\"market.job.events.v1\"} 1") !=
          std::string::npos);
    CHECK(page.find("result=\"expired\",topic=\"market.job.events.v1\"} 1") != std::string::npos);
    CHECK(page.find("result=\"dead_letter\",topic=\"market.job.events.v1\"} 3") !=
          std::string::npos);
}

TEST_CASE("two instances share the partitions and lose or repeat nothing", "[inbox]") {
    test::inbox_rig on(6);
    auto first = on.make_instance("first", 5);
    first.start();
    int sent = 0;
    const auto publish = [&](int number) {
        for (int i = 0; i < number; ++i, ++sent) {
            on.publish("job-" + std::to_string(sent % 40), std::to_string(sent));
        }
    };
    publish(200);
    on.wait_for_effects(20);
    auto second = on.make_instance("second", 5);
    second.start();
    const auto both = [&] {
        return first.consumer().assigned() && second.consumer().assigned();
    };
    on.wait_until(both);
    publish(200);
    on.wait_for_effects(260);
    second.stop(); // its partitions come back after the session's time-out
    publish(200);
    on.wait_for_effects(600);
    first.stop();
    const auto all = on.effects();
    CHECK(all.size() == 600);
    CHECK(std::set(all.begin(), all.end()).size() == 600);
    for (int job = 0; job < 40; ++job) {
        const auto of_job = on.effects("job-" + std::to_string(job));
        CHECK(std::ranges::is_sorted(of_job, {}, [](const auto& n) { return std::stoi(n); }));
    }
}

TEST_CASE("lost database connections cost nothing but time", "[inbox]") {
    test::inbox_rig on;
    auto one = on.make_instance("one", 3);
    one.start();
    for (int i = 0; i < 200; ++i) {
        on.publish("job-" + std::to_string(i % 5), std::to_string(i));
    }
    for (int round = 1; round <= 5; ++round) {
        on.wait_for_effects(static_cast<std::size_t>(round) * 25);
        on.database.query("select pg_terminate_backend(pid) from pg_stat_activity"
                          " where datname = current_database() and pid <> pg_backend_pid()");
    }
    on.wait_for_effects(200);
    one.stop();
    const auto all = on.effects();
    CHECK(all.size() == 200);
    CHECK(std::set(all.begin(), all.end()).size() == 200);
    CHECK(on.count("inbox_dead_letter") == 0);
    for (int job = 0; job < 5; ++job) {
        const auto of_job = on.effects("job-" + std::to_string(job));
        CHECK(std::ranges::is_sorted(of_job, {}, [](const auto& n) { return std::stoi(n); }));
    }
}

TEST_CASE("a client that cannot be made ends the consumer, and says why", "[inbox]") {
    test::inbox_rig on;
    pg::pool pool(on.database.pool_settings(), on.metrics, log::logger());
    inbox::consumer one({.brokers = test::kafka_topics::brokers(),
                         .group = "nobody",
                         .topic_prefix = on.topics.prefix(),
                         .session_timeout = std::chrono::hours(24)},
                        pool, on.loop, on.metrics, log::logger());
    std::string said;
    async::task_group tasks(on.loop,
                            [&said](const std::string&, const std::string& what) { said = what; });
    tasks.spawn("inbox", one.run());
    test::await_on(on.loop, tasks.join());
    CHECK(said.find("session.timeout.ms") != std::string::npos);
}
