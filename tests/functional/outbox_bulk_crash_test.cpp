// Bulk work whose mover is killed: a process of its own, this binary running the hidden test case.
#include "functional/outbox_bulk_rig.hpp"
#include "functional/outbox_process.hpp"

#include <catch2/catch_get_random_seed.hpp>

#include <random>

using namespace relais;
using test::bulk_events;
using test::outbox_rig;

namespace {

std::string staged(const outbox_rig& on) {
    return on.database.value("select count(*) from outbox_bulk");
}

} // namespace

TEST_CASE("runs a relay and its pacer until it is killed", "[.][bulk-process]") {
    boost::asio::io_context loop(1);
    const outbox::relay_options options{.mode = test::variable(test::mode_variable) == "polling"
                                                    ? outbox::relay_mode::polling
                                                    : outbox::relay_mode::logical,
                                        .bulk_batch = 40};
    test::relay_instance relay(test::variable(test::url_variable),
                               test::variable(test::prefix_variable), loop,
                               test::kafka_topics::brokers(), options);
    pg::pool pool({.url = test::variable(test::url_variable), .connections = 1}, relay.metrics,
                  log::logger());
    outbox::bulk_pacer pacer(pool, relay.relay, options, relay.metrics, log::logger());
    relay.start();
    relay.tasks.spawn("pacer", pacer.run());
    loop.run();
}

TEST_CASE("movers killed at any moment: nothing lost, nothing twice, in order", "[outbox][crash]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    const auto seed = Catch::getSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto start = [&] {
        return test::test_process(
            "[bulk-process]", {{test::url_variable, on.database.url()},
                               {test::prefix_variable, on.topics.prefix()},
                               {test::mode_variable,
                                on.mode == outbox::relay_mode::polling ? "polling" : "logical"}});
    };
    constexpr int events_per_life = 1'000;
    constexpr int lives = 4;
    for (int life = 0; life < lives; ++life) {
        const auto first = life * events_per_life + 1;
        stage(on, "t", bulk_events("k", first, first + events_per_life - 1));
        const auto before = std::stoi(staged(on));
        auto mover = start();
        // Killed while it moves: somewhere between the first batch and the last.
        const int more = 1 + static_cast<int>(random() % 800);
        on.wait_until([&] { return std::stoi(staged(on)) <= before - more; });
        mover.kill();
    }
    auto last = start();
    on.wait_until(
        [&] { return test::deduplicated(on.read_all())["k"].size() >= events_per_life * lives; });
    last.kill();
    CHECK(test::deduplicated(on.read_all()).at("k") == test::numbers(1, events_per_life * lives));
    CHECK(staged(on) == "0");
    CHECK(on.database.value("select count(*) from outbox_event") ==
          std::to_string(events_per_life * lives));
}

TEST_CASE("what is rolled back is neither staged nor moved", "[outbox][bulk]") {
    outbox_rig on;
    const auto no = fail(error_kind::conflict, "no");
    CHECK_FALSE(on.transact([&](pg::transaction& tx) -> result<void> {
        outbox::append_bulk(tx, bulk_events("k", 1, 5));
        return no;
    }));
    CHECK(staged(on) == "0");
    stage(on, "", bulk_events("k", 1, 5));
    CHECK_FALSE(on.transact([&](pg::transaction& tx) -> result<void> {
        CHECK(outbox::move_bulk(tx, 3)->count == 3);
        return no;
    }));
    CHECK(staged(on) == "5");
    CHECK(on.database.value("select count(*) from outbox_event") == "0");
    CHECK(test::move(on, 10) == 5);
}
