#include "async/task_group.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "timers/timers.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// One process with a runner; several of them share a database.
struct instance {
    metrics::registry metrics;
    pg::pool pool;
    timers::runner runner;
    async::task_group tasks;

    instance(const test::database& database, const relais::clock& time,
             boost::asio::io_context& loop)
        : pool(database.pool_settings(2), metrics, log::logger()),
          runner(pool, time, loop, metrics, log::logger()),
          tasks(loop, [](const std::string& name, const std::string& what) {
              FAIL(name << ": " << what);
          }) {}

    void start() {
        tasks.spawn("timers", runner.run());
    }

    void stop(boost::asio::io_context& loop) {
        tasks.cancel();
        test::await_on(loop, tasks.join());
    }
};

struct fixture {
    test::database database;
    boost::asio::io_context loop{1};
    system_clock time;
    instance first{database, time, loop};

    template <class Work>
    auto transact(Work work) {
        return test::await_on(loop, first.pool.transact("test", work));
    }

    void schedule(const timers::timer& value) {
        REQUIRE(transact([&](pg::transaction& tx) -> result<void> {
            timers::schedule(tx, value);
            return {};
        }));
    }

    /// Lets the loop run until the condition holds; fails after a minute.
    template <class Condition>
    void wait_until(Condition holds) {
        const auto limit = steady::now() + 60s;
        while (!holds()) {
            REQUIRE(steady::now() < limit);
            loop.restart();
            loop.run_one_for(50ms);
        }
    }
};

} // namespace

TEST_CASE("due timers fire once, by priority, future ones not yet", "[timers]") {
    fixture on;
    std::vector<std::string> fired;
    on.first.runner.on(
        "note", [&](pg::transaction&, const timers::timer& each, timestamp now) -> result<void> {
            CHECK(now >= each.due_at);
            fired.push_back(each.id + "=" + each.payload);
            return {};
        });
    const auto now = on.time.now();
    on.schedule({.id = "late", .kind = "note", .due_at = now - 1s, .payload = "p", .priority = 5});
    on.schedule({.id = "first", .kind = "note", .due_at = now - 1s, .payload = "q"});
    on.schedule({.id = "future", .kind = "note", .due_at = now + 1h});
    on.schedule({.id = "unknown kind", .kind = "other", .due_at = now - 1s});
    on.first.start();
    on.wait_until([&] { return fired.size() == 2; });
    on.first.stop(on.loop);
    CHECK(fired == std::vector<std::string>{"first=q", "late=p"});
    CHECK(on.database.value("select string_agg(id, ',' order by id) from timer") ==
          "future,unknown kind");
}

TEST_CASE("a timer is moved by setting it again, and can be cancelled", "[timers]") {
    fixture on;
    const auto now = on.time.now();
    on.schedule({.id = "a", .kind = "note", .due_at = now});
    on.schedule({.id = "a", .kind = "note", .due_at = now + 1h});
    CHECK(on.database.value("select count(*) from timer where due_at > now()") == "1");
    const auto cancel = [](pg::transaction& tx) -> result<bool> {
        return timers::cancel(tx, "a");
    };
    CHECK(on.transact(cancel) == true);
    CHECK(on.transact(cancel) == false);
}

TEST_CASE("the runner wakes for the next due time", "[timers]") {
    fixture on;
    std::optional<timestamp> fired;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp now) -> result<void> {
                           fired = now;
                           return {};
                       });
    const auto due = on.time.now() + 400ms;
    on.schedule({.id = "soon", .kind = "note", .due_at = due});
    on.first.start();
    on.wait_until([&] { return fired.has_value(); });
    on.first.stop(on.loop);
    CHECK(*fired >= due);
    CHECK(*fired < due + 500ms);
}

TEST_CASE("a failing timer is tried again; its effects of failed tries are gone", "[timers]") {
    fixture on;
    on.database.query("create table effect (attempt int)");
    int runs = 0;
    on.first.runner.on("flaky",
                       [&](pg::transaction& tx, const timers::timer&, timestamp) -> result<void> {
                           tx.exec("insert into effect values ($1)", {++runs});
                           if (runs < 2) {
                               return fail(error_kind::unavailable, "not-now");
                           }
                           return {};
                       });
    on.first.runner.on("hopeless",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           return fail(error_kind::invalid, "never", "no way");
                       });
    on.schedule({.id = "f", .kind = "flaky", .due_at = on.time.now()});
    on.schedule({.id = "h", .kind = "hopeless", .due_at = on.time.now()});
    on.first.start();
    on.wait_until([&] { return on.database.query("select 1 from timer where id = 'f'").empty(); });
    on.first.stop(on.loop);
    CHECK(on.database.query("select attempt from effect") ==
          std::vector<std::vector<std::string>>{{"2"}});
    CHECK(on.database.value("select attempts || ' ' || last_error from timer where id = 'h'"
                            " and failed_at is not null") == "1 never: no way");
}

TEST_CASE("a handler may set its own timer anew", "[timers]") {
    fixture on;
    int runs = 0;
    on.first.runner.on(
        "daily", [&](pg::transaction& tx, const timers::timer& each, timestamp) -> result<void> {
            ++runs;
            timers::schedule(tx, {.id = each.id, .kind = each.kind, .due_at = each.due_at + 24h});
            return {};
        });
    on.schedule({.id = "d", .kind = "daily", .due_at = on.time.now() - 1s});
    on.first.start();
    on.wait_until([&] { return runs == 1; });
    on.first.stop(on.loop);
    CHECK(runs == 1);
    CHECK(on.database.value("select attempts from timer where due_at > now()") == "0");
}

TEST_CASE("two runners: every timer takes effect exactly once", "[timers]") {
    fixture on;
    instance second(on.database, on.time, on.loop);
    on.database.query("create table effect (id text)");
    for (auto* each : {&on.first, &second}) {
        each->runner.on(
            "count", [](pg::transaction& tx, const timers::timer& one, timestamp) -> result<void> {
                tx.exec("insert into effect values ($1)", {one.id});
                return {};
            });
    }
    on.database.query("insert into timer (id, kind, due_at, payload)"
                      " select 't' || n, 'count', now() - interval '1 s', ''"
                      " from generate_series(1, 300) n");
    on.first.start();
    second.start();
    on.wait_until([&] { return on.database.query("select 1 from timer").empty(); });
    on.first.stop(on.loop);
    second.stop(on.loop);
    CHECK(on.database.value("select count(*) || ' ' || count(distinct id) from effect") ==
          "300 300");
}

TEST_CASE("a claim of a dead process runs out, its attempt counts", "[timers]") {
    fixture on;
    bool fired = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           fired = true;
                           return {};
                       });
    // As a process leaves it that died between claim and run.
    on.database.query("insert into timer (id, kind, due_at, payload, attempts, not_before) values"
                      " ('x', 'note', now() - interval '1 min', '', 1, now() + interval '300 ms')");
    on.first.start();
    on.wait_until([&] { return fired; });
    on.first.stop(on.loop);
    CHECK(on.database.query("select 1 from timer").empty());
}

TEST_CASE("after the wall clock was set back, a claim does not hold for an hour", "[timers]") {
    fixture on;
    bool fired = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           fired = true;
                           return {};
                       });
    on.database.query("insert into timer (id, kind, due_at, payload, attempts, not_before) values"
                      " ('x', 'note', now() - interval '1 min', '', 1, now() + interval '1 hour'),"
                      " ('y', 'note', now() + interval '1 hour', '', 0, null)");
    on.first.start();
    on.wait_until([&] { return fired; });
    on.first.stop(on.loop);
    CHECK(on.database.value("select string_agg(id, ' ') from timer") == "y");
}
