#pragma once

#include "async/task_group.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "timers/runner.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

namespace relais::test {

/// One process with a runner; several of them share a database.
struct timers_instance {
    metrics::registry metrics;
    pg::pool pool;
    timers::runner runner;
    async::task_group tasks;

    timers_instance(const test::database& database, const relais::clock& time,
                    boost::asio::io_context& loop, std::size_t concurrency = 2)
        : pool(database.pool_settings(concurrency + 1), metrics, log::logger()),
          runner(pool, time, loop, metrics, log::logger(), {concurrency}),
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

struct timers_rig {
    explicit timers_rig(std::size_t concurrency = 2) : first(database, time, loop, concurrency) {}

    test::database database;
    boost::asio::io_context loop{1};
    system_clock time;
    timers_instance first;

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
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!holds()) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            loop.restart();
            loop.run_for(std::chrono::milliseconds(5));
        }
    }
};

} // namespace relais::test
