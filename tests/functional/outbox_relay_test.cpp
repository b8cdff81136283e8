#include "functional/outbox_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;
using test::deduplicated;
using test::header;
using test::outbox_rig;
using test::position;

namespace {

events::event make_job_event(const std::string& job) {
    market::v1::OfferMade message;
    message.set_job_id(job);
    return events::make_event(message, "web-api",
                              events::cause::from_request(trace::context::start(), "request-1"),
                              system_clock().now());
}

} // namespace

TEST_CASE("committed events arrive with their envelope, rolled back ones never", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    const auto event = make_job_event("job-1");
    REQUIRE(on.transact([&](pg::transaction& tx) -> result<void> {
        outbox::append(tx, event);
        return {};
    }));
    const auto refused = on.transact([](pg::transaction& tx) -> result<void> {
        outbox::append(tx, make_job_event("job-1"));
        return fail(error_kind::conflict, "no");
    });
    CHECK_FALSE(refused);
    on.insert("job-1", 7, 7); // a later one, to know that nothing came between
    on.wait_until([&] { return relay.published() >= 2; });
    on.stop(relay);

    const auto read = on.read_all();
    REQUIRE(read.size() == 2);
    const auto arrived = kafka::to_event(read[0]);
    REQUIRE(arrived);
    CHECK(arrived->id == event.id);
    CHECK(arrived->type == "relais.market.v1.OfferMade");
    CHECK(arrived->key == "job-1");
    CHECK(arrived->payload == event.payload);
    CHECK(arrived->cause.correlation_id == event.cause.correlation_id);
    REQUIRE(arrived->position);
    CHECK(arrived->position->source.starts_with("web-api:"));
    CHECK(arrived->position->lsn > 0);
    CHECK(header(read[0], "x-lsn").size() == 16);
}

TEST_CASE("a bug is found before the insert, not by the relay", "[outbox]") {
    outbox_rig on;
    const auto append = [&](const events::event& value) {
        return on.transact([&](pg::transaction& tx) -> result<void> {
            CHECK_THROWS_AS(outbox::append(tx, value), std::logic_error);
            return {};
        });
    };
    auto event = make_job_event("j");
    event.topic = "no.such.topic.v1";
    append(event);
    event = make_job_event("j");
    event.source = "relais/upload"; // not the producer of this topic
    append(event);
    event = make_job_event("j");
    event.key.clear();
    append(event);
    event = make_job_event("j");
    event.payload.assign(901 * 1024, 'x');
    append(event);
    event = make_job_event("j");
    event.tombstone = true; // not on a compacted topic
    append(event);
    CHECK_THROWS(on.database.query("update outbox_event set key = 'x'"));
}

TEST_CASE("order of commits is kept per key, positions grow in every partition", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto relay = on.make_relay();
    relay.start();
    for (int n = 1; n <= 80; n += 4) {
        for (const auto* key : {"a", "b", "c", "d"}) {
            on.insert(key, n, n + 3);
        }
    }
    on.wait_until([&] { return relay.published() >= 320; });
    on.stop(relay);
    const auto read = on.read_all();
    REQUIRE(read.size() == 320);
    std::map<std::int32_t, std::tuple<std::uint64_t, std::string, std::uint64_t>> last;
    for (const auto& record : read) {
        const bool later = position(record) > last[record.partition];
        CHECK(later); // libstdc++ 14 takes CHECK's expressions for tuples
        last[record.partition] = position(record);
    }
    const auto values = deduplicated(read);
    REQUIRE(values.size() == 4);
    for (const auto& [key, numbers] : values) {
        CHECK(numbers == test::numbers(1, 80));
    }
}

TEST_CASE("a stopped relay's successor goes on where it stopped, without repeating", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    for (int round = 0; round < 3; ++round) {
        auto relay = on.make_relay();
        relay.start();
        on.insert("k", round * 10 + 1, round * 10 + 10);
        on.wait_until([&] { return relay.published() >= 10; });
        on.stop(relay);
    }
    CHECK(on.read_all().size() == 30);
    const auto* slots = on.mode == outbox::relay_mode::logical ? "1" : "0";
    CHECK(on.database.value("select count(*) from pg_replication_slots where database ="
                            " current_database()") == slots);
}

TEST_CASE("a second relay waits, and takes over", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto first = on.make_relay();
    auto second = on.make_relay();
    first.start();
    on.wait_until([&] { return first.relay.current() == outbox::relay::state::streaming; });
    second.start();
    on.wait_until([&] { return second.relay.current() == outbox::relay::state::standby; });
    on.insert("k", 1, 5);
    on.wait_until([&] { return first.published() >= 5; });
    CHECK(second.published() == 0);
    on.stop(first);
    on.insert("k", 6, 10);
    on.wait_until([&] { return second.published() >= 5; });
    on.stop(second);
    CHECK(deduplicated(on.read_all()) ==
          std::map<std::string, std::vector<std::string>>{{"k", test::numbers(1, 10)}});
}

TEST_CASE("broken connections to the database are made anew", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    for (int round = 0; round < 3; ++round) {
        on.insert("k", round * 10 + 1, round * 10 + 10);
        on.wait_until([&] { return relay.published() >= (round + 1) * 10; });
        on.database.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name like 'outbox-%'");
    }
    on.insert("k", 31, 31);
    on.wait_until([&] { return deduplicated(on.read_all())["k"].size() >= 31; });
    on.stop(relay);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 31));
}

TEST_CASE("big transactions and big values pass", "[outbox]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto relay = on.make_relay();
    relay.start();
    on.insert("k", 1, 20'000); // more than may be in flight at once
    on.database.query("insert into outbox_event (id, topic, key, headers, value) values"
                      " (gen_random_uuid(), '" +
                      test::job_topic +
                      "', 'big', '{}',"
                      " repeat('x', 900000)::bytea)");
    on.wait_until([&] { return relay.published() >= 20'001; });
    on.stop(relay);
    const auto values = deduplicated(on.read_all());
    CHECK(values.at("k") == test::numbers(1, 20'000));
    CHECK(values.at("big").front().size() == 900'000);
}

TEST_CASE("a relay refuses topics with another number of partitions", "[outbox]") {
    outbox_rig on;
    test::kafka_topics wrong({test::job_topic}, 3);
    test::relay_instance relay(on.database.url(), wrong.prefix(), on.loop,
                               test::kafka_topics::brokers());
    relay.start();
    on.insert("k", 1, 3);
    const auto failures =
        relay.metrics.counter("outbox_relay_failures_total", "Times the relay had to connect anew");
    on.wait_until([&] { return failures.value() >= 2; });
    CHECK(relay.relay.current() == outbox::relay::state::blocked);
    CHECK(on.database.value("select reason from outbox_blocked") == "partition-count");
    CHECK(wrong.read_all(test::job_topic).empty());
    // Mended, it goes on by itself.
    REQUIRE(wrong.admin().remove(wrong.prefix() + test::job_topic));
    on.wait_until([&] {
        return wrong.admin()
            .create({.name = wrong.prefix() + test::job_topic, .partitions = 12})
            .has_value();
    });
    on.wait_until([&] { return relay.published() >= 3; });
    CHECK(on.database.value("select count(*) from outbox_blocked") == "0");
    on.wait_until([&] { return relay.relay.current() != outbox::relay::state::blocked; });
    on.stop(relay);
}
