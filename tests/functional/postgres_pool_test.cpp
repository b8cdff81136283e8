#include "postgres/pool.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"

#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <thread>

using namespace relais;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A pool on a fresh database with one small table.
struct fixture {
    test::database database;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    pg::pool pool;

    explicit fixture(std::size_t connections = 2)
        : pool(database.pool_settings(connections), metrics, log::logger()) {
        database.query("create table thing (id int primary key, name text)");
    }

    template <class Work>
    auto transact(Work work, async::worker_pool::deadline until = pg::pool::default_deadline()) {
        return test::await_on(loop, pool.transact("test", work, until));
    }
};

result<void> insert_one(pg::transaction& tx) {
    tx.exec("insert into thing values (1, 'one')");
    return {};
}

} // namespace

TEST_CASE("values of every type go there and back", "[postgres]") {
    fixture on;
    const timestamp time{1764000000123456us};
    const auto id = account_id::make();
    const std::string bytes("\0\xff\\'", 4);
    const auto read = on.transact([&](pg::transaction& tx) -> result<void> {
        const auto all =
            tx.exec("select $1::text, $2::bigint, $3::float8, $4::bool, $5::timestamptz, $6::uuid,"
                    " $7::bytea, $8::text, array_length($9::text[], 1)",
                    {"héllo", std::int64_t{-7}, 0.1, true, time, id, pg::parameter::bytes(bytes),
                     std::nullopt, pg::parameter::array({"a", "b\"c"})});
        const auto row = all.front();
        CHECK(row.text(0) == "héllo");
        CHECK(row.integer(1) == -7);
        CHECK(row.number(2) == 0.1);
        CHECK(row.boolean(3));
        CHECK(row.time(4) == time);
        CHECK(row.id_at<account_id>(5) == id);
        CHECK(row.bytes(6) == bytes);
        CHECK(row.optional_text(7) == std::nullopt);
        CHECK(row.integer(8) == 2);
        CHECK_THROWS_AS(row.text(7), std::logic_error);
        CHECK_THROWS_AS(row.text(9), std::logic_error);
        return {};
    });
    CHECK(read);
}

TEST_CASE("an error or an exception rolls back, success commits", "[postgres]") {
    fixture on;
    const auto refused = on.transact([](pg::transaction& tx) -> result<void> {
        tx.exec("insert into thing values (1, 'one')");
        return fail(error_kind::conflict, "state-conflict");
    });
    CHECK(refused.error().slug == "state-conflict");
    const auto thrown = on.transact([](pg::transaction& tx) -> result<void> {
        tx.exec("insert into thing values (1, 'one')");
        throw std::logic_error("a bug");
    });
    CHECK(thrown.error().slug == "db-pool-exception");
    CHECK(on.database.value("select count(*) from thing") == "0");
    bool committed = false;
    CHECK(on.transact([&](pg::transaction& tx) -> result<void> {
        tx.after_commit([&] { committed = true; });
        return insert_one(tx);
    }));
    CHECK(committed);
    CHECK(on.database.value("select count(*) from thing") == "1");
}

TEST_CASE("what the server refuses becomes an error of its class", "[postgres]") {
    fixture on;
    REQUIRE(on.transact(insert_one));
    const auto again = on.transact(insert_one);
    CHECK(again.error().kind == error_kind::conflict);
    CHECK(again.error().slug == "unique-violation");
    CHECK_THAT(again.error().detail, ContainsSubstring("thing_pkey"));
    CHECK_THAT(again.error().detail, !ContainsSubstring("(id)=(1)"));
    on.transact([](pg::transaction& tx) -> result<void> {
        try {
            return insert_one(tx);
        } catch (const pg::failure& failed) {
            CHECK(failed.constraint() == "thing_pkey");
            throw;
        }
    });
    // A failure that the function swallows cannot turn into a silent rollback.
    const auto swallowed = on.transact([](pg::transaction& tx) -> result<void> {
        try {
            return insert_one(tx);
        } catch (const pg::failure&) {
            return {};
        }
    });
    CHECK(swallowed.error().slug == "unique-violation");
}

TEST_CASE("a deadlock is tried again", "[postgres]") {
    fixture on;
    on.database.query("insert into thing values (1, ''), (2, '')");
    std::atomic<int> inside{0};
    std::atomic<int> runs{0};
    const auto crossing = [&](int first, int second) {
        return [&, first, second](pg::transaction& tx) -> result<void> {
            ++runs;
            tx.exec("update thing set name = name || 'x' where id = $1", {first});
            ++inside;
            while (inside < 2) { // both hold their first row; on a retry both have been here
                std::this_thread::yield();
            }
            tx.exec("update thing set name = name || 'x' where id = $1", {second});
            return {};
        };
    };
    on.database.query("alter database \"" + on.database.name() +
                      "\" set deadlock_timeout = '50ms'");
    std::vector<result<void>> answers;
    const auto one = [&](int first, int second) -> boost::asio::awaitable<void> {
        auto work = crossing(first, second);
        auto answer = co_await on.pool.transact("crossing", work);
        answers.push_back(answer);
    };
    boost::asio::co_spawn(on.loop, one(1, 2), boost::asio::detached);
    boost::asio::co_spawn(on.loop, one(2, 1), boost::asio::detached);
    on.loop.run();
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]);
    CHECK(answers[1]);
    CHECK(runs == 3);
    CHECK(on.database.value("select string_agg(name, ',') from thing") == "xx,xx");
}

TEST_CASE("a statement that outlasts the deadline times out, on the server too", "[postgres]") {
    fixture on;
    const auto begun = steady::now();
    const auto slow = on.transact(
        [](pg::transaction& tx) -> result<void> {
            tx.exec("select pg_sleep(10)");
            return {};
        },
        begun + 300ms);
    CHECK(slow.error().kind == error_kind::timeout);
    CHECK(slow.error().slug == "database-timeout");
    CHECK(steady::now() - begun < 1s);
    const auto next = test::await_on(
        on.loop, on.pool.read("show", [](pg::transaction& tx) -> result<std::string> {
            return tx.exec("select current_setting('statement_timeout')").front().text(0);
        }));
    CHECK(next == "2s");
}

TEST_CASE("a connection killed while idle is replaced without anybody noticing", "[postgres]") {
    fixture on(1);
    REQUIRE(on.transact(insert_one));
    on.database.query("select pg_terminate_backend(pid) from pg_stat_activity"
                      " where application_name = 'relais-test'");
    const auto after = test::await_on(
        on.loop, on.pool.read("count", [](pg::transaction& tx) -> result<std::int64_t> {
            return tx.exec("select count(*) from thing").front().integer(0);
        }));
    CHECK(after == 1);
}

TEST_CASE("a connection killed inside a transaction: run again on a new one", "[postgres]") {
    fixture on(1);
    int runs = 0;
    const auto done = on.transact([&](pg::transaction& tx) -> result<void> {
        tx.exec("insert into thing values (1, 'one')");
        if (++runs == 1) {
            on.database.query("select pg_terminate_backend(pid) from pg_stat_activity"
                              " where application_name = 'relais-test'");
        }
        tx.exec("insert into thing values (2, 'two')");
        return {};
    });
    CHECK(done);
    CHECK(runs == 2);
    CHECK(on.database.value("select count(*) from thing") == "2");
}

TEST_CASE("killed during COMMIT is in doubt, and not tried again", "[postgres]") {
    fixture on(1);
    // A deferred trigger that waits for a lock stretches COMMIT, so that we can hit it.
    on.database.query(
        "create function wait_a_bit() returns trigger language plpgsql as"
        " 'begin perform pg_sleep(1.5); return null; end';"
        " create constraint trigger slow after insert on thing deferrable initially deferred"
        " for each row execute function wait_a_bit()");
    int runs = 0;
    boost::asio::co_spawn(
        on.loop,
        [&]() -> boost::asio::awaitable<void> {
            auto work = [&](pg::transaction& tx) -> result<void> {
                ++runs;
                return insert_one(tx);
            };
            const auto answer = co_await on.pool.transact("slow-commit", work);
            CHECK(answer.error().kind == error_kind::timeout);
            CHECK(answer.error().slug == "commit-in-doubt");
        },
        boost::asio::detached);
    while (on.database
               .query("select 1 from pg_stat_activity where application_name = 'relais-test'"
                      " and state = 'active' and query = 'commit'")
               .empty()) {
        on.loop.poll();
    }
    on.database.query("select pg_terminate_backend(pid) from pg_stat_activity"
                      " where application_name = 'relais-test'");
    on.loop.run();
    CHECK(runs == 1);
}

TEST_CASE("a full pool refuses at once", "[postgres]") {
    test::database database;
    boost::asio::io_context loop(1);
    metrics::registry metrics;
    auto settings = database.pool_settings(1);
    settings.queue_max = 1;
    pg::pool pool(settings, metrics, log::logger());
    int full = 0;
    for (int i = 0; i < 4; ++i) {
        boost::asio::co_spawn(
            loop,
            [&]() -> boost::asio::awaitable<void> {
                const auto answer =
                    co_await pool.read("sleep", [](pg::transaction& tx) -> result<void> {
                        tx.exec("select pg_sleep(0.2)");
                        return {};
                    });
                full += !answer && answer.error().slug == "db-pool-full" ? 1 : 0;
            },
            boost::asio::detached);
    }
    loop.run();
    CHECK(full >= 2);
}

TEST_CASE("the budget is checked against the server", "[postgres]") {
    fixture on;
    CHECK(test::await_on(on.loop, on.pool.check_connection_budget(1)));
    const auto refused = test::await_on(on.loop, on.pool.check_connection_budget(500));
    CHECK(refused.error().slug == "connection-budget");
}
