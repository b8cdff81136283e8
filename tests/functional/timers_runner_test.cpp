#include "support/timers_rig.hpp"

#include <atomic>

using namespace relais;
using namespace std::chrono_literals;

using fixture = test::timers_rig;
using instance = test::timers_instance;

TEST_CASE("due timers fire once, by priority, future ones not yet", "[timers]") {
    fixture on;
    std::vector<std::string> fired; // written on the database's threads, read after the stop
    std::atomic<int> count = 0;
    on.first.runner.on(
        "note", [&](pg::transaction&, const timers::timer& each, timestamp now) -> result<void> {
            fired.push_back(each.id + "=" + each.payload + (now < each.due_at ? " early" : ""));
            ++count;
            return {};
        });
    const auto now = on.time.now();
    on.schedule({.id = "late", .kind = "note", .due_at = now - 1s, .payload = "p", .priority = 5});
    on.schedule({.id = "first", .kind = "note", .due_at = now - 1s, .payload = "q"});
    on.schedule({.id = "future", .kind = "note", .due_at = now + 1h});
    on.schedule({.id = "unknown kind", .kind = "other", .due_at = now - 1s});
    on.first.start();
    on.wait_until([&] { return count == 2; });
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
    timestamp fired{};
    std::atomic<bool> done = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp now) -> result<void> {
                           fired = now;
                           done = true;
                           return {};
                       });
    const auto due = on.time.now() + 400ms;
    on.schedule({.id = "soon", .kind = "note", .due_at = due});
    on.first.start();
    on.wait_until([&] { return done.load(); });
    on.first.stop(on.loop);
    CHECK(fired >= due);
    CHECK(fired < due + 500ms);
}

TEST_CASE("a failing timer is tried again; its effects of failed tries are gone", "[timers]") {
    fixture on;
    on.database.query("create table effect (attempt int)");
    std::atomic<int> runs = 0;
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
    std::atomic<int> runs = 0;
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
    std::atomic<bool> fired = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           fired = true;
                           return {};
                       });
    // As a process leaves it that died between claim and run.
    on.database.query("insert into timer (id, kind, due_at, payload, attempts, not_before) values"
                      " ('x', 'note', now() - interval '1 min', '', 1, now() + interval '300 ms')");
    on.first.start();
    on.wait_until([&] { return fired.load(); });
    on.first.stop(on.loop);
    CHECK(on.database.query("select 1 from timer").empty());
}

TEST_CASE("after the wall clock was set back, a claim does not hold for an hour", "[timers]") {
    fixture on;
    std::atomic<bool> fired = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           fired = true;
                           return {};
                       });
    on.database.query(
        "insert into timer (id, kind, due_at, payload, attempts, not_before, waits_since) values"
        " ('x', 'note', now() - interval '1 min', '', 1, now() + interval '1 hour 300 ms',"
        "  now() + interval '1 hour'),"
        " ('y', 'note', now() + interval '1 hour', '', 0, null, null)");
    on.first.start();
    on.wait_until([&] { return fired.load(); });
    on.first.stop(on.loop);
    CHECK(on.database.value("select string_agg(id, ' ') from timer") == "y");
}

TEST_CASE("a kind that is slow and a kind that fails do not hold up the others", "[timers]") {
    fixture on;
    std::atomic<int> quick = 0;
    std::atomic<bool> finished = false;
    on.first.runner.on("slow",
                       [&](pg::transaction& tx, const timers::timer&, timestamp) -> result<void> {
                           if (!finished) {
                               tx.exec("select pg_sleep(1)");
                           }
                           return {};
                       });
    on.first.runner.on("failing",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           return fail(error_kind::unavailable, "not-now");
                       });
    on.first.runner.on("quick",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           ++quick;
                           return {};
                       });
    // The others are more urgent, too.
    on.database.query("insert into timer (id, kind, due_at, payload, priority)"
                      " select k || n, k, now() - interval '1 min', '', p"
                      " from generate_series(1, 100) n, (values ('slow', -1), ('failing', -1),"
                      " ('quick', 0)) as kinds (k, p)");
    on.first.start();
    on.wait_until([&] { return quick == 100; });
    CHECK(on.database.value("select count(*) > 80 from timer where kind = 'slow'") == "t");
    finished = true;
    on.first.stop(on.loop);
}

TEST_CASE("several timers fire at once, as many as allowed", "[timers]") {
    fixture on(4);
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    for (const char* kind : {"a", "b"}) {
        on.first.runner.on(
            kind, [&](pg::transaction& tx, const timers::timer&, timestamp) -> result<void> {
                const int now = ++running;
                int seen = most;
                while (seen < now && !most.compare_exchange_weak(seen, now)) {}
                tx.exec("select pg_sleep(0.05)");
                --running;
                return {};
            });
    }
    on.database.query("insert into timer (id, kind, due_at, payload) select k || n, k, now(), ''"
                      " from generate_series(1, 20) n, unnest(array['a', 'b']) k");
    on.first.start();
    on.wait_until([&] { return on.database.query("select 1 from timer").empty(); });
    on.first.stop(on.loop);
    CHECK(most == 4);
}

TEST_CASE("a stopped runner gives back what it claimed and did not begin", "[timers]") {
    fixture on;
    std::atomic<int> fired = 0;
    on.first.runner.on("slow",
                       [&](pg::transaction& tx, const timers::timer&, timestamp) -> result<void> {
                           tx.exec("select pg_sleep(0.02)");
                           ++fired;
                           return {};
                       });
    on.database.query("insert into timer (id, kind, due_at, payload) select n, 'slow', now(), ''"
                      " from generate_series(1, 200) n");
    on.first.start();
    on.wait_until([&] { return fired >= 20; });
    on.first.stop(on.loop);
    CHECK(on.database.value("select count(*) from timer") == std::to_string(200 - fired));
    CHECK(on.database.query("select 1 from timer where attempts > 0 or not_before is not null")
              .empty());
}

TEST_CASE("a woken runner fires at once what was set for now", "[timers]") {
    fixture on;
    std::atomic<bool> fired = false;
    on.first.runner.on("note",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           fired = true;
                           return {};
                       });
    const auto wake = on.first.runner.waker();
    on.first.start();
    on.wait_until([&] { // it sleeps
        return on.first.metrics.serialize().find("timers_claim") != std::string::npos;
    });
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(on.transact([&](pg::transaction& tx) -> result<void> {
        timers::schedule_after(tx, {.id = "a", .kind = "note"}, 0s, on.time.now());
        tx.after_commit(wake);
        return {};
    }));
    on.wait_until([&] { return fired.load(); });
    CHECK(std::chrono::steady_clock::now() - begin < 500ms);
    on.first.stop(on.loop);
}

TEST_CASE("given-up timers are counted by reason", "[timers]") {
    fixture on;
    on.first.runner.on("k",
                       [&](pg::transaction&, const timers::timer&, timestamp) -> result<void> {
                           return fail(error_kind::invalid, "never");
                       },
                       {.attempts_max = 5});
    const auto now = on.time.now();
    on.schedule({.id = "a", .kind = "k", .due_at = now - 1min, .expires_at = now - 30s});
    on.schedule({.id = "b", .kind = "k", .due_at = now - 1min});
    on.schedule({.id = "c", .kind = "k", .due_at = now - 1min});
    on.database.query("update timer set attempts = 5 where id = 'c'");
    on.first.start();
    on.wait_until(
        [&] { return on.database.query("select 1 from timer where failed_at is null").empty(); });
    on.first.stop(on.loop);
    const auto metrics = on.first.metrics.serialize();
    for (const char* reason : {"expired", "failed", "crashed"}) {
        CAPTURE(reason);
        CHECK(metrics.find("timers_given_up_total{kind=\"k\",reason=\"" + std::string(reason) +
                           "\"} 1") != std::string::npos);
    }
}
