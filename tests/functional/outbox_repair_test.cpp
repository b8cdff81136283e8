#include "functional/outbox_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;
using test::await_on;
using test::deduplicated;
using test::header;
using test::outbox_rig;
using test::position;

namespace {

void drop_slots(const outbox_rig& on) {
    on.database.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                      " where database = current_database()");
}

std::uint64_t epoch_of(const kafka::record& record) {
    return std::get<0>(position(record));
}

/// Rows of events that were read, since ever.
std::int64_t events_read(const outbox_rig& on) {
    return std::stoll(
        on.database.value("select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))"
                          " from pg_stat_user_tables where starts_with(relname, 'outbox_event_')"));
}

int relay_sessions(const outbox_rig& on) {
    return std::stoi(on.database.value("select count(*) from pg_stat_activity where datname ="
                                       " current_database() and application_name like 'outbox%'"));
}

/// Publishes what the relay has not, as one would whose clock shows `time`, and that then died.
void publish_as_at(outbox_rig& on, timestamp time) {
    const auto last = on.read_all().back();
    kafka::producer producer({.brokers = test::kafka_topics::brokers(),
                              .client_id = "test",
                              .topic_prefix = on.topics.prefix()},
                             on.loop, on.metrics, log::logger());
    const auto rows =
        on.database.query("select id, convert_from(value, 'UTF8') from outbox_event where seq > 10"
                          " order by seq");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        kafka::record record{
            .topic = test::job_topic, .key = "k", .value = rows[i][1], .time = time};
        record.headers = {{"ce_id", rows[i][0]},
                          {"x-src", header(last, "x-src")},
                          {"x-lsn", header(last, "x-lsn")},
                          {"x-idx", std::to_string(10 + i)}};
        REQUIRE(await_on(on.loop, producer.send(record)));
    }
}

} // namespace

TEST_CASE("events from before the first slot are published too", "[outbox]") {
    outbox_rig on;
    on.insert("k", 1, 250);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.published() >= 250; });
    on.insert("k", 251, 300);
    on.wait_until([&] { return relay.published() >= 300; });
    on.stop(relay);
    const auto read = on.read_all();
    CHECK(read.size() == 300);
    CHECK(deduplicated(read).at("k") == test::numbers(1, 300));
}

TEST_CASE("a dropped slot is repaired from the table: nothing lost, nothing twice", "[outbox]") {
    outbox_rig on;
    {
        auto relay = on.make_relay();
        relay.start();
        on.insert("k", 1, 100);
        on.wait_until([&] { return relay.published() >= 100; });
        on.stop(relay);
    }
    on.insert("k", 101, 200); // nobody reads this from the log
    drop_slots(on);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.published() >= 100; });
    on.insert("k", 201, 250);
    on.wait_until([&] { return relay.published() >= 150; });
    on.stop(relay);
    const auto read = on.read_all();
    CHECK(read.size() == 250);
    CHECK(deduplicated(read).at("k") == test::numbers(1, 250));
    CHECK(epoch_of(read.back()) > epoch_of(read.front()));
    CHECK(on.database.value("select count(*) from outbox_repair") == "0");
}

TEST_CASE("a repair finds what a relay with a wrong clock published", "[outbox]") {
    const auto wrong = GENERATE(-5h, 5h);
    outbox_rig on;
    {
        auto relay = on.make_relay();
        relay.start();
        on.insert("other", 1, 10); // in another partition than "k", which has no right times
        on.wait_until([&] { return relay.published() >= 10; });
        on.stop(relay);
    }
    on.insert("k", 11, 20);
    publish_as_at(on, system_clock().now() + wrong);
    drop_slots(on);
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 21, 30);
    on.wait_until([&] { return deduplicated(on.read_all())["k"].back() == "30"; });
    on.stop(relay);
    CHECK(on.read_all().size() == 30);
}

TEST_CASE("a repair reads each event once or a few times, however many there are", "[outbox]") {
    constexpr int events = 5'000;
    outbox_rig on;
    {
        auto relay = on.make_relay();
        relay.start();
        on.insert("k", 1, 1);
        on.wait_until([&] { return relay.published() >= 1; });
        on.stop(relay);
    }
    on.insert("k", 2, events);
    // What autovacuum does sooner or later, here after an earlier repair of the same size.
    on.database.query("insert into outbox_repair (ordinal, seq, at)"
                      " select row_number() over (), seq, at from outbox_event");
    on.database.query("analyze outbox_event, outbox_repair");
    drop_slots(on);
    const auto before = events_read(on);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.published() >= events - 1; });
    on.stop(relay);
    on.wait_until([&] { return relay_sessions(on) == 0; }); // they count when they end
    CHECK(events_read(on) - before < 10 * events);
}

TEST_CASE("a slot dropped under a running relay is repaired", "[outbox]") {
    outbox_rig on;
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 1, 10);
    on.wait_until([&] { return relay.published() >= 10; });
    on.database.query("select pg_terminate_backend(active_pid) from pg_replication_slots where"
                      " database = current_database()");
    on.wait_until([&] {
        // The relay may be back before us; then again.
        try {
            drop_slots(on);
        } catch (const std::exception&) {
            on.database.query("select pg_terminate_backend(active_pid) from pg_replication_slots"
                              " where database = current_database()");
            return false;
        }
        return true;
    });
    on.insert("k", 11, 20);
    on.wait_until([&] { return relay.published() >= 20; });
    on.stop(relay);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 20));
}

TEST_CASE("an interrupted attempt to make a slot is made again", "[outbox]") {
    outbox_rig on;
    on.insert("k", 1, 3);
    // What a crash leaves between the slot and the epoch: a slot of an epoch that never began.
    on.database.query("select pg_create_logical_replication_slot('relais_outbox_' ||"
                      " replace(left(current_database(), 36), '-', '_') || '_4000000000',"
                      " 'pgoutput')");
    on.insert("k", 4, 6);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.published() >= 6; });
    on.stop(relay);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 6));
    CHECK(on.database.value("select count(*) from pg_replication_slots"
                            " where database = current_database()") == "1");
}

TEST_CASE("a repair that was interrupted goes on with the same positions", "[outbox]") {
    outbox_rig on;
    on.insert("k", 1, 500);
    {
        auto relay = on.make_relay();
        relay.start();
        on.wait_until([&] { return relay.published() >= 100; });
        on.stop(relay); // somewhere in the middle
    }
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 501, 510);
    on.wait_until([&] {
        return on.database.value("select count(*) from outbox_repair") == "0" &&
               relay.published() >= 10;
    });
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() == 510; });
    on.stop(relay);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 510));
}

TEST_CASE("another server, or another timeline, makes a new epoch", "[outbox]") {
    outbox_rig on;
    {
        auto relay = on.make_relay();
        relay.start();
        on.insert("k", 1, 10);
        on.wait_until([&] { return relay.published() >= 10; });
        on.stop(relay);
    }
    on.database.query("update outbox_progress set timeline = timeline + 1");
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 11, 20);
    on.wait_until([&] { return relay.published() >= 10; });
    on.stop(relay);
    const auto read = on.read_all();
    CHECK(deduplicated(read).at("k") == test::numbers(1, 20));
    CHECK(epoch_of(read.back()) > epoch_of(read.front()));
}

TEST_CASE("old partitions go when they are published, not before", "[outbox]") {
    outbox_rig on;
    on.database.query("create table outbox_event_20200101 partition of outbox_event"
                      " for values from ('2020-01-01 00:00Z') to ('2020-01-02 00:00Z')");
    on.database.query("insert into outbox_event (at, id, topic, key, headers, value)"
                      " values ('2020-01-01 12:00Z', gen_random_uuid(), '" +
                      test::job_topic + "', 'old', '{}', 'x')");
    const auto there = [&] {
        return on.database.value("select to_regclass('outbox_event_20200101') is not null") == "t";
    };
    CHECK(on.database.value("select dropped from outbox_maintain(14, 8)") == "0");
    CHECK(there());
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] {
        return on.database.value("select published is not null from outbox_progress") == "t";
    });
    on.stop(relay);
    CHECK(on.database.value("select dropped from outbox_maintain(14, 8)") == "1");
    CHECK_FALSE(there());
    CHECK(on.database.value("select made from outbox_maintain(16, 8)") == "2");
}
