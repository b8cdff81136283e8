#include "postgres/connection_string.hpp"
#include "postgres/pool.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/tcp_gate.hpp"

#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <thread>

using namespace relais;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

config::endpoint server_of(const test::database& database) {
    const auto keywords = pg::parse_connection_string(database.url()).value();
    return {keywords.at("host"), static_cast<std::uint16_t>(std::stoi(keywords.at("port")))};
}

std::string through(const test::tcp_gate& gate, const test::database& database) {
    auto keywords = pg::parse_connection_string(database.url()).value();
    keywords["port"] = std::to_string(gate.port());
    return pg::to_connection_string(keywords);
}

struct fixture {
    test::database database;
    test::tcp_gate gate{server_of(database)};
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    pg::pool pool;

    explicit fixture(std::size_t connections)
        : pool({.url = through(gate, database),
                .application_name = "test",
                .connections = connections},
               metrics, log::logger()) {}

    result<std::int64_t> ask(async::worker_pool::deadline until = pg::pool::default_deadline()) {
        return test::await_on(loop, pool.read(
                                        "one",
                                        [](pg::transaction& tx) -> result<std::int64_t> {
                                            return tx.exec("select 1").front().integer(0);
                                        },
                                        until));
    }

    void wait_reachable(bool wanted, std::chrono::seconds at_most) {
        const auto limit = steady::now() + at_most;
        while (pool.reachable() != wanted) {
            if (steady::now() > limit) {
                FAIL("not in time");
            }
            std::this_thread::yield();
        }
    }
};

} // namespace

TEST_CASE("a server that is down: refused within a second, and found again", "[postgres][outage]") {
    fixture on(2);
    REQUIRE(on.ask() == 1);
    on.gate.close();
    on.wait_reachable(false, 3s); // noticed although nobody asks
    int refused = 0;
    const auto begun = steady::now();
    for (int i = 0; i < 40; ++i) {
        boost::asio::co_spawn(
            on.loop,
            [&]() -> boost::asio::awaitable<void> {
                const auto answer = co_await on.pool.transact(
                    "one", [](pg::transaction&) -> result<void> { return {}; });
                refused += !answer && answer.error().slug == "database-down" ? 1 : 0;
            },
            boost::asio::detached);
    }
    on.loop.restart();
    on.loop.run();
    CHECK(refused == 40);
    CHECK(steady::now() - begun < 1s);
    on.gate.open();
    on.wait_reachable(true, 5s);
    CHECK(on.ask() == 1);
}

TEST_CASE("a server that is frozen: nobody waits for a second, and no thread is lost",
          "[postgres][outage]") {
    fixture on(2);
    REQUIRE(on.ask() == 1);
    on.gate.freeze();
    int refused = 0;
    const auto begun = steady::now();
    for (int i = 0; i < 20; ++i) {
        boost::asio::co_spawn(
            on.loop,
            [&]() -> boost::asio::awaitable<void> {
                const auto answer =
                    co_await on.pool.read("one", [](pg::transaction& tx) -> result<void> {
                        tx.exec("select 1");
                        return {};
                    });
                refused += !answer && answer.error().slug == "database-down" ? 1 : 0;
            },
            boost::asio::detached);
    }
    on.loop.restart();
    on.loop.run();
    CHECK(refused == 20);
    CHECK(steady::now() - begun < 1s);
    CHECK_FALSE(on.pool.reachable());
    const auto later = steady::now();
    CHECK(on.ask().error().slug == "database-down");
    CHECK(steady::now() - later < 100ms); // by now it is known
    on.gate.thaw();
    on.wait_reachable(true, 5s);
    CHECK(on.ask() == 1);
}

TEST_CASE("a statement that waits for a lock is no sign of a dead server", "[postgres][outage]") {
    fixture on(2);
    const auto answer = test::await_on(
        on.loop, on.pool.read("slow", [](pg::transaction& tx) -> result<std::int64_t> {
            return tx.exec("select 1 from pg_sleep(1)").front().integer(0);
        }));
    CHECK(answer == 1);
    CHECK(on.pool.reachable());
}

TEST_CASE("a statement that gets no answer is cut off soon after its deadline",
          "[postgres][outage]") {
    fixture on(1);
    REQUIRE(on.ask() == 1);
    on.gate.freeze();
    const auto begun = steady::now();
    CHECK_FALSE(on.ask(begun + 300ms));
    CHECK(steady::now() - begun < 2s);
    on.wait_reachable(false, 10s);
    on.gate.thaw();
    on.wait_reachable(true, 10s);
    CHECK(on.ask() == 1);
}

TEST_CASE("a pool made while the server is down works when it is up", "[postgres][outage]") {
    test::database database;
    test::tcp_gate gate(server_of(database));
    gate.close();
    boost::asio::io_context loop(1);
    metrics::registry metrics;
    pg::pool pool({.url = through(gate, database), .application_name = "test"}, metrics,
                  log::logger());
    const auto ask = [&] {
        return test::await_on(loop, pool.read("one", [](pg::transaction& tx) -> result<void> {
            tx.exec("select 1");
            return {};
        }));
    };
    CHECK(ask().error().slug == "database-down");
    gate.open();
    const auto limit = steady::now() + 5s;
    while (!pool.reachable()) {
        if (steady::now() > limit) {
            FAIL("not in time");
        }
        std::this_thread::yield();
    }
    CHECK(ask());
}

TEST_CASE("a server whose disc is full is told from one that is down", "[postgres][outage]") {
    fixture on(1);
    const auto work = [](pg::transaction& tx) -> result<void> {
        tx.exec("do $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$");
        return {};
    };
    const auto full = test::await_on(on.loop, on.pool.transact("fill", work));
    REQUIRE_FALSE(full);
    CHECK(full.error().kind == error_kind::unavailable);
    CHECK(full.error().slug == "database-disk-full");
    CHECK(on.metrics.serialize().find("\ndb_disk_full_total 1\n") != std::string::npos);
    CHECK(on.ask() == 1); // reading goes on
}
