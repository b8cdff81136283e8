// Runners that are killed: each is a process of its own, this binary running the hidden test case.
#include "support/environment.hpp"
#include "support/test_process.hpp"
#include "support/timers_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* url_variable = "RELAIS_TEST_CRASH_URL";

/// Claims of killed processes last 15 s and more; the test does not wait for that.
void end_claims(const test::database& database) {
    database.query("update timer set not_before = null where waits_since is not null");
}

std::unique_ptr<test::test_process> start_process(const test::database& database) {
    return std::make_unique<test::test_process>(
        "[timers-process]", std::map<std::string, std::string>{{url_variable, database.url()}});
}

} // namespace

TEST_CASE("runs a runner of timers until it is killed", "[.][timers-process]") {
    boost::asio::io_context loop(1);
    const system_clock time;
    metrics::registry metrics;
    pg::pool_settings settings;
    settings.url = test::variable(url_variable);
    settings.connections = 4;
    pg::pool pool(settings, metrics, log::logger());
    timers::runner runner(pool, time, loop, metrics, log::logger(), {3});
    runner.on("note",
              [](pg::transaction& tx, const timers::timer& due, timestamp now) -> result<void> {
                  tx.exec("insert into effect (id, due_at, fired_at) values ($1, $2, $3)",
                          {due.id, due.due_at, now});
                  return {};
              });
    runner.on(
        "crash",
        [](pg::transaction&, const timers::timer&, timestamp) -> result<void> { std::_Exit(1); },
        {.attempts_max = 3});
    async::task_group tasks(loop, [](const auto&, const auto&) { std::_Exit(2); });
    tasks.spawn("timers", runner.run());
    loop.run();
}

TEST_CASE("a runner that is killed again and again fires everything once", "[timers]") {
    const test::database database;
    boost::asio::io_context loop{1};
    database.query("create table effect (id text, due_at timestamptz, fired_at timestamptz)");
    database.query("insert into timer (id, kind, due_at, payload) select n, 'note',"
                   " now() + n * interval '3 ms', '' from generate_series(1, 500) n");
    database.query("insert into timer (id, kind, due_at, payload, cron, time_zone, catch_up)"
                   " values ('every minute', 'note', date_trunc('minute', now()) - interval"
                   " '99 min', '', '* * * * *', 'UTC', 'all')");
    const auto fired = [&] {
        return std::stoi(database.value("select count(*) from effect"));
    };
    const auto wait_for = [&](int number) {
        const auto limit = std::chrono::steady_clock::now() + 60s;
        while (fired() < number) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            loop.restart();
            loop.run_for(2ms);
        }
    };
    for (int round = 0; round < 6; ++round) {
        const auto process = start_process(database);
        wait_for(std::min(fired() + 40, 600));
        process->kill();
        end_claims(database);
    }
    const auto process = start_process(database);
    wait_for(600);
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!database.query("select 1 from timer where due_at <= now()").empty()) {
        REQUIRE(std::chrono::steady_clock::now() < limit);
        loop.restart();
        loop.run_for(2ms);
    }
    process->kill();
    CHECK(database.value("select count(*) from effect where id <> 'every minute'") == "500");
    CHECK(
        database.query("select id, due_at from effect group by 1, 2 having count(*) > 1").empty());
    CHECK(database.query("select 1 from effect where fired_at < due_at").empty());
    CHECK(database.value("select string_agg(id, ' ') from timer") == "every minute");
    // In order, none left out.
    CHECK(database
              .query("select 1 from (select due_at - lag(due_at) over (order by fired_at) as"
                     " step from effect where id = 'every minute') s"
                     " where step <> interval '1 min'")
              .empty());
}

TEST_CASE("a timer that ends the process every time is given up, the others fire", "[timers]") {
    const test::database database;
    boost::asio::io_context loop{1};
    database.query("create table effect (id text, due_at timestamptz, fired_at timestamptz)");
    database.query("insert into timer (id, kind, due_at, payload, priority) values"
                   " ('x', 'crash', now(), '', -1)");
    database.query("insert into timer (id, kind, due_at, payload) select n, 'note', now(), ''"
                   " from generate_series(1, 50) n");
    int starts = 1;
    auto process = start_process(database);
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!database.query("select 1 from timer where failed_at is null").empty()) {
        REQUIRE(std::chrono::steady_clock::now() < limit);
        if (process->ended()) {
            ++starts;
            end_claims(database);
            process = start_process(database);
        }
        loop.restart();
        loop.run_for(5ms);
    }
    process->kill();
    CHECK(starts == 4);
    CHECK(database.value("select count(distinct id) || ' ' || count(*) from effect") == "50 50");
    CHECK(database.value("select id || ': ' || last_error from timer") ==
          "x: crashed: the process ended during the last of 3 attempts");
}
