// Bulk work: when it waits.
#include "functional/outbox_bulk_rig.hpp"
#include "postgres/connection_string.hpp"
#include "support/tcp_gate.hpp"

using namespace relais;
using namespace std::chrono_literals;
using outbox::bulk_pacer;
using test::bulk_events;
using test::outbox_rig;

namespace {

double gauge(test::bulk_instance& of, const char* name, const char* help) {
    return of.relay.metrics.gauge(name, help).value();
}

bool lags(outbox_rig& on, std::chrono::milliseconds limit) {
    return on
        .transact(
            [&](pg::transaction& tx) -> result<bool> { return outbox::relay_lags(tx, limit); })
        .value();
}

} // namespace

TEST_CASE("bulk work stops behind an event that Kafka refuses", "[outbox][bulk]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    const auto set_size_max = [&](const char* bytes) {
        REQUIRE(on.topics.admin().set_config(on.topics.prefix() + test::job_topic,
                                             {{"max.message.bytes", bytes}}));
    };
    set_size_max("100000");
    test::bulk_instance instance(on, 50);
    on.insert_sized(test::job_topic, "big", 200'000);
    instance.relay.start();
    on.wait_until([&] { return instance.relay.relay.current() == outbox::relay::state::blocked; });
    stage(on, "t", bulk_events("k", 1, 200));
    instance.relay.tasks.spawn("pacer", instance.pacer.run());
    on.wait_until([&] { return instance.pacer.current() == bulk_pacer::state::waiting; });
    on.wait_until([&] {
        return std::stoi(on.database.value("select coalesce(max(tries), 0) from outbox_blocked")) >=
               3;
    });
    CHECK(lags(on, 1h));
    CHECK(instance.moved() == 0);
    CHECK(gauge(instance, "outbox_bulk_pacer_state",
                "0 standby, 1 idle, 2 moving, 3 waiting for the relay") == 3);
    CHECK(gauge(instance, "outbox_bulk_staged_rows",
                "Bulk events not yet in the outbox, counted up to a million") == 200);
    CHECK(gauge(instance, "outbox_bulk_oldest_staged_timestamp_seconds",
                "When the oldest of them was staged; 0: none") > 0);
    set_size_max("1000000");
    on.wait_until([&] { return instance.moved() >= 200; });
    on.wait_until([&] { return instance.pacer.current() == bulk_pacer::state::idle; });
    on.stop(instance.relay);
    CHECK(test::deduplicated(on.read_all()).at("k") == test::numbers(1, 200));
}

TEST_CASE("bulk work waits for a relay that hangs, one batch ahead", "[outbox][bulk]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto keywords = pg::parse_connection_string(on.database.url()).value();
    test::tcp_gate gate(
        {keywords.at("host"), static_cast<std::uint16_t>(std::stoi(keywords.at("port")))});
    keywords["host"] = "127.0.0.1";
    keywords["port"] = std::to_string(gate.port());
    test::bulk_instance instance(on, {.mode = on.mode, .bulk_batch = 50},
                                 pg::to_connection_string(keywords));
    instance.start();
    on.wait_until([&] { return instance.pacer.current() == bulk_pacer::state::idle; });
    gate.freeze();
    stage(on, "t", bulk_events("k", 1, 400));
    on.wait_until([&] { return instance.pacer.current() == bulk_pacer::state::waiting; });
    CHECK(instance.moved() == 50);
    gate.thaw();
    on.wait_until([&] { return instance.moved() >= 400; });
    on.wait_until([&] { return test::deduplicated(on.read_all())["k"].size() >= 400; });
    on.stop(instance.relay);
    CHECK(test::deduplicated(on.read_all()).at("k") == test::numbers(1, 400));
}

TEST_CASE("bulk work waits where nobody publishes, and for what others are late with",
          "[outbox][bulk]") {
    outbox_rig on;
    test::bulk_instance instance(on, 50);
    stage(on, "t", bulk_events("k", 1, 10));
    instance.relay.tasks.spawn("pacer", instance.pacer.run());
    on.wait_until([&] { return instance.pacer.current() == bulk_pacer::state::standby; });
    on.stop(instance.relay);
    CHECK(instance.moved() == 0);
    CHECK_FALSE(lags(on, 0ms));
    on.insert("direct", 1, 1); // by the database alone: whoever is to publish it
    CHECK(lags(on, 0ms));
    CHECK_FALSE(lags(on, 1h));
    on.database.query("update outbox_progress set published = pg_current_snapshot()");
    CHECK_FALSE(lags(on, 0ms));
}
