#include "events/partitioner.hpp"
#include "functional/outbox_rig.hpp"
#include "relais/identity/v1/contact_snapshots.pb.h"

using namespace relais;
using test::outbox_rig;

namespace {

std::vector<events::event> make_events(int count) {
    std::vector<events::event> made;
    for (int n = 0; n < count; ++n) {
        market::v1::JobPublished message;
        message.set_job_id("job-" + std::to_string(n % 7));
        message.set_category("\"quoted\\ {é}, " + std::to_string(n));
        made.push_back(events::make_event(message, "web-api",
                                          events::cause::from_request(trace::context::start(), "r"),
                                          system_clock().now()));
    }
    return made;
}

void commit(outbox_rig& on, const std::vector<events::event>& all) {
    REQUIRE(on.transact([&](pg::transaction& tx) -> result<void> {
        outbox::append(tx, all);
        return {};
    }));
}

} // namespace

TEST_CASE("many events at once keep their order, in the table and on the way", "[outbox][append]") {
    outbox_rig on;
    auto relay = on.make_relay();
    relay.start();
    on.wait_until([&] { return relay.relay.current() == outbox::relay::state::streaming; });
    const auto all = make_events(2'500); // more than one statement takes
    commit(on, all);
    commit(on, {});
    const auto rows = on.database.query("select id, partition from outbox_event order by seq");
    REQUIRE(rows.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        REQUIRE(rows[i][0] == all[i].id.text());
        REQUIRE(rows[i][1] == std::to_string(events::partition_of(all[i].key, 12U)));
    }
    on.wait_until([&] { return relay.published() >= 2'500; });
    on.stop(relay);
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < all.size(); ++i) {
        place[all[i].id.text()] = i;
    }
    for (const auto& record : on.read_all()) {
        const auto event = kafka::to_event(record);
        REQUIRE(event);
        const auto& given = all[place.at(event->id.text())];
        REQUIRE(event->position->index == place.at(event->id.text()));
        REQUIRE(event->payload == given.payload);
        REQUIRE(event->key == given.key);
        REQUIRE(event->cause.correlation_id == given.cause.correlation_id);
        REQUIRE(record.partition == events::partition_of(given.key, 12U));
    }
}

TEST_CASE("tombstones and empty payloads stay what they are among many", "[outbox][append]") {
    outbox_rig on;
    identity::v1::ContactSnapshot empty;
    empty.set_account_id("a");
    const auto now = system_clock().now();
    std::vector<events::event> both{
        events::make_event(empty, "web-api", {}, now),
        events::make_tombstone(test::contact_topic, "a", "web-api", {}, now)};
    both[0].payload.clear();
    commit(on, both);
    CHECK(on.database.query("select value is null, length(value) from outbox_event order by seq") ==
          std::vector<std::vector<std::string>>{{"f", "0"}, {"t", "<null>"}});
}

TEST_CASE("one bug among many events stops all of them", "[outbox][append]") {
    outbox_rig on;
    auto all = make_events(3);
    all[2].key.clear();
    CHECK(on.transact([&](pg::transaction& tx) -> result<void> {
        CHECK_THROWS_AS(outbox::append(tx, all), std::logic_error);
        return {};
    }));
    CHECK(on.database.value("select count(*) from outbox_event") == "0");
}

TEST_CASE("events of a transaction, one by one against all at once", "[.][append-bench]") {
    outbox_rig on;
    const auto all = make_events(50);
    const auto measure = [&](const char* name, auto write) {
        const auto start = std::chrono::steady_clock::now();
        constexpr int rounds = 200;
        for (int i = 0; i < rounds; ++i) {
            REQUIRE(on.transact([&](pg::transaction& tx) -> result<void> {
                write(tx);
                return {};
            }));
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        fmt::print("{}: {:.0f} events/s\n", name, rounds * 50 / took.count());
    };
    for (int round = 0; round < 3; ++round) {
        measure("one by one", [&](pg::transaction& tx) {
            for (const auto& each : all) {
                outbox::append(tx, each);
            }
        });
        measure("at once", [&](pg::transaction& tx) { outbox::append(tx, all); });
    }
}

TEST_CASE("an interceptor sees, changes and refuses what is appended", "[outbox][append]") {
    outbox_rig on;
    const auto all = make_events(3);
    {
        int seen = 0;
        const outbox::append_interceptor expiry([](pg::transaction&, events::event& each) {
            each.expires_at = each.time + std::chrono::hours(1);
        });
        const outbox::append_interceptor counting([&seen](pg::transaction&, events::event& each) {
            seen += each.expires_at ? 1 : 0; // in the order of their making
        });
        commit(on, all);
        CHECK(seen == 3);
    }
    CHECK(on.database.value("select count(*) from outbox_event"
                            " where headers->>'expires-at' is not null") == "3");
    {
        const outbox::append_interceptor refusing([](pg::transaction&, events::event& each) {
            if (each.key == "job-2") {
                throw std::logic_error("not this one");
            }
        });
        CHECK_FALSE(on.transact([&](pg::transaction& tx) -> result<void> {
            outbox::append(tx, all);
            return {};
        }));
    }
    CHECK(on.database.value("select count(*) from outbox_event") == "3"); // all or nothing
    commit(on, all);                                                      // and it is over
    CHECK(on.database.value("select count(*) from outbox_event"
                            " where headers->>'expires-at' is null") == "3");
}
