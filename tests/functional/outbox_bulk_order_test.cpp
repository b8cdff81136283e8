// Bulk work: in which order it leaves the staging table.
#include "functional/outbox_bulk_rig.hpp"

#include <libpq-fe.h>

using namespace relais;
using test::bulk_events;
using test::outbox_rig;

namespace {

/// Events of the tenant's key in outbox_event.
std::string moved_of(const outbox_rig& on, const std::string& key) {
    return on.database.value("select count(*) from outbox_event where key = '" + key + "'");
}

} // namespace

TEST_CASE("bulk events keep the order of their key, and wait for the pacer", "[outbox][bulk]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    test::bulk_instance instance(on, 7);
    instance.relay.start();
    on.wait_until(
        [&] { return instance.relay.relay.current() == outbox::relay::state::streaming; });
    for (int n = 1; n <= 100; n += 20) {
        for (const auto* key : {"a", "b", "c"}) {
            auto all = bulk_events(key, n, n + 19);
            stage(on, key == std::string("c") ? "second" : "first", all);
        }
    }
    on.insert("direct", 1, 1);
    on.wait_until([&] { return instance.relay.published() >= 1; });
    CHECK(on.read_all().size() == 1); // nobody publishes what is only staged
    instance.relay.tasks.spawn("pacer", instance.pacer.run());
    on.wait_until([&] { return instance.relay.published() >= 301; });
    on.stop(instance.relay);
    auto values = test::deduplicated(on.read_all());
    CHECK(values.size() == 4);
    for (const auto* key : {"a", "b", "c"}) {
        CHECK(values[key] == test::numbers(1, 100));
    }
    CHECK(on.database.value("select count(*) from outbox_bulk") == "0");
    CHECK(on.database.value("select count(distinct id) from outbox_event") == "301");
    CHECK(instance.moved() == 300);
}

TEST_CASE("a tenant that comes later does not wait for what others have staged", "[outbox][bulk]") {
    outbox_rig on;
    stage(on, "many", bulk_events("many", 1, 5'000));
    CHECK(test::move(on, 300) == 300);
    stage(on, "few", bulk_events("few", 1, 10));
    stage(on, "", bulk_events("none", 1, 5));
    CHECK(test::move(on, 25) == 25);
    CHECK(moved_of(on, "few") == "10");
    CHECK(moved_of(on, "none") == "5");
    CHECK(moved_of(on, "many") == "310");
    // What is staged next goes behind the tenant's own, and takes turns with the others.
    stage(on, "few", bulk_events("few", 11, 20));
    stage(on, "many", bulk_events("many", 5'001, 5'010));
    CHECK(test::move(on, 20) == 20);
    CHECK(moved_of(on, "few") == "20");
    CHECK(moved_of(on, "many") == "320");
    while (*test::move(on, 1'000) > 0) {}
    CHECK(on.database.value("select string_agg(convert_from(value, 'UTF8'), ',' order by seq)"
                            " = (select string_agg(n::text, ',' order by n)"
                            " from generate_series(1, 5010) n)"
                            " from outbox_event where key = 'many'") == "t");
}

TEST_CASE("one transaction moves a bounded number of bytes", "[outbox][bulk]") {
    outbox_rig on;
    auto big = bulk_events("k", 1, 12);
    for (auto& each : big) {
        each.payload.assign(800'000, 'x');
    }
    stage(on, "", big);
    CHECK(test::move(on, 1'000) == 11); // 8 MiB, and the one that passes it
    CHECK(test::move(on, 1'000) == 1);
}

TEST_CASE("only one instance moves at a time", "[outbox][bulk]") {
    outbox_rig on;
    stage(on, "", bulk_events("k", 1, 3));
    const std::unique_ptr<PGconn, void (*)(PGconn*)> other(PQconnectdb(on.database.url().c_str()),
                                                           PQfinish);
    const auto run = [&](const char* sql) {
        PQclear(PQexec(other.get(), sql));
    };
    run("begin");
    run("select pg_advisory_xact_lock(hashtext('relais_outbox_bulk'))");
    CHECK_FALSE(test::move(on, 10));
    run("commit");
    CHECK(test::move(on, 10) == 3);
}

TEST_CASE("what is checked for append() is checked before staging", "[outbox][bulk]") {
    outbox_rig on;
    auto all = bulk_events("k", 1, 3);
    CHECK(on.transact([&](pg::transaction& tx) -> result<void> {
        CHECK_THROWS_AS(outbox::append_bulk(tx, all, std::string(201, 't')), std::logic_error);
        all[2].key.clear();
        CHECK_THROWS_AS(outbox::append_bulk(tx, all, "t"), std::logic_error);
        return {};
    }));
    CHECK(on.database.value("select count(*) from outbox_bulk") == "0");
}
