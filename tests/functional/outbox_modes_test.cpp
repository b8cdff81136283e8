// Polling beside logical replication, and the changes between the two.
#include "events/partitioner.hpp"
#include "functional/outbox_process.hpp"

#include <libpq-fe.h>

using namespace relais;
using namespace std::chrono_literals;
using outbox::relay_mode;
using test::deduplicated;
using test::outbox_rig;

namespace {

std::size_t different(outbox_rig& on) {
    return deduplicated(on.read_all())["k"].size();
}

} // namespace

TEST_CASE("the database computes partitions as we do", "[outbox][polling]") {
    const outbox_rig on;
    on.database.query("insert into outbox_topic values ('" + test::job_topic + "', 12)");
    std::string key;
    for (int i = 0; i < 60; ++i) {
        key += static_cast<char>('a' + i % 26);
        CHECK(on.database.value("select outbox_murmur2('" + key + "'::bytea)") ==
              std::to_string(events::murmur2(key)));
        CHECK(on.database.value("select outbox_partition('" + test::job_topic + "', '" + key +
                                "')") == std::to_string(events::partition_of(key, 12U)));
    }
    CHECK(on.database.value("select outbox_murmur2('\\x00ff80'::bytea)") ==
          std::to_string(events::murmur2(std::string("\0\xff\x80", 3))));
    CHECK(on.database.value("select outbox_partition('unknown', 'a')") == "0");
}

TEST_CASE("a change of mode loses nothing and repeats nothing", "[outbox][polling]") {
    outbox_rig on;
    int written = 0;
    std::string epoch = "0";
    for (const auto mode :
         {relay_mode::logical, relay_mode::polling, relay_mode::logical, relay_mode::polling}) {
        on.insert("k", written + 1, written + 50); // while nobody publishes
        on.mode = mode;
        auto relay = on.make_relay();
        relay.start();
        on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
        on.insert("k", written + 51, written + 100);
        written += 100;
        on.wait_until([&] { return different(on) == static_cast<std::size_t>(written); });
        on.stop(relay);
        const auto now = on.database.value("select epoch from outbox_progress");
        CHECK(std::stoull(now) > std::stoull(epoch));
        epoch = now;
        CHECK(on.database.value("select count(*) from pg_replication_slots where database ="
                                " current_database()") ==
              (mode == relay_mode::logical ? "1" : "0"));
    }
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, written));
}

TEST_CASE("another mode, and another number of shards, wait for whoever publishes",
          "[outbox][polling]") {
    outbox_rig on;
    auto first = on.make_relay({.mode = relay_mode::polling, .shards = 2});
    first.start();
    on.wait_until([&] { return first.relay.current() == outbox::relay::state::streaming; });
    auto other_mode = on.make_relay({.mode = relay_mode::logical});
    other_mode.start();
    auto other_count = on.make_relay({.mode = relay_mode::polling, .shards = 3});
    other_count.start();
    on.wait_until([&] { return other_mode.relay.current() == outbox::relay::state::standby; });
    on.wait_until([&] { return other_count.relay.current() == outbox::relay::state::standby; });
    on.insert("k", 1, 20);
    on.wait_until([&] { return different(on) == 20; });
    CHECK(other_mode.published() + other_count.published() == 0);
    CHECK(on.database.value("select shards from outbox_progress") == "2");
    on.stop(other_count);
    on.stop(first);
    on.wait_until([&] { return other_mode.relay.current() == outbox::relay::state::streaming; });
    on.stop(other_mode);
    auto last = on.make_relay({.mode = relay_mode::polling, .shards = 3});
    last.start();
    on.wait_until([&] { return last.relay.current() == outbox::relay::state::streaming; });
    CHECK(on.database.value("select shards from outbox_progress") == "3");
    on.insert("k", 21, 40);
    on.wait_until([&] { return different(on) == 40; });
    on.stop(last);
    CHECK(deduplicated(on.read_all()).at("k") == test::numbers(1, 40));
}

TEST_CASE("polling does not wait for a long writer, nor forget it", "[outbox][polling]") {
    outbox_rig on(relay_mode::polling);
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    const std::unique_ptr<PGconn, void (*)(PGconn*)> writer(PQconnectdb(on.database.url().c_str()),
                                                            PQfinish);
    const auto run = [&](const std::string& sql) {
        const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(
            PQexec(writer.get(), sql.c_str()), PQclear);
        REQUIRE(PQresultStatus(answer.get()) == PGRES_COMMAND_OK);
    };
    run("begin");
    run("insert into outbox_event (id, topic, key, headers, value)"
        " values (gen_random_uuid(), '" +
        test::job_topic + "', 'slow', '{}', '1')");
    on.insert("k", 1, 10);
    on.wait_until([&] { return different(on) == 10; });
    run("commit");
    on.wait_until([&] { return deduplicated(on.read_all())["slow"].size() == 1; });
    on.stop(relay);
    CHECK(on.database.value("select count(*) from outbox_assigned") == "0");
}
