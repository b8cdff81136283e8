#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "async/timeout.hpp"
#include "async/worker_pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <future>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;
using namespace relais;
using namespace std::chrono_literals;

namespace {

/// Runs the coroutine to its end on a loop of its own.
void run(asio::io_context& loop, asio::awaitable<void> body) {
    asio::co_spawn(loop, std::move(body), [](const std::exception_ptr& thrown) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    });
    loop.run();
}

auto soon() {
    return std::chrono::steady_clock::now() + 10s;
}

} // namespace

TEST_CASE("a group cancels and joins what it owns", "[async]") {
    asio::io_context loop(1);
    std::vector<std::string> failures;
    async::task_group tasks(loop, [&](const std::string& name, const std::string& what) {
        failures.push_back(name + ": " + what);
    });
    int ended = 0;
    const auto sleeper = [&ended]() -> asio::awaitable<void> {
        struct on_exit {
            int& count;
            ~on_exit() {
                ++count;
            }
        } const guard{ended};
        co_await async::sleep_for(1h);
    };
    const auto thrower = []() -> asio::awaitable<void> {
        throw std::runtime_error("broken");
        co_return;
    };
    tasks.spawn("one", sleeper());
    tasks.spawn("two", sleeper());
    tasks.spawn("thrower", thrower());
    run(loop, [&]() -> asio::awaitable<void> {
        tasks.cancel();
        co_await tasks.join();
        CHECK(tasks.size() == 0);
    }());
    CHECK(ended == 2);
    CHECK(failures == std::vector<std::string>{"thrower: broken"});
}

TEST_CASE("a task started after cancel is cancelled too", "[async]") {
    asio::io_context loop(1);
    async::task_group tasks(loop, [](const std::string&, const std::string&) {});
    const auto sleeper = []() -> asio::awaitable<void> {
        co_await async::sleep_for(1h);
    };
    run(loop, [&]() -> asio::awaitable<void> {
        tasks.cancel();
        tasks.spawn("late", sleeper());
        co_await tasks.join();
        CHECK(tasks.cancelled());
    }());
}

TEST_CASE("a signal wakes all who wait, and waiting ends in time", "[async]") {
    asio::io_context loop(1);
    async::signal changed(loop);
    int woken = 0;
    const auto waiter = [&]() -> asio::awaitable<void> {
        co_await changed.wait();
        ++woken;
    };
    async::task_group tasks(loop, [](const std::string&, const std::string&) {});
    tasks.spawn("a", waiter());
    tasks.spawn("b", waiter());
    run(loop, [&]() -> asio::awaitable<void> {
        co_await async::sleep_for(1ms);
        changed.notify_all();
        co_await tasks.join();
        CHECK(woken == 2);
        const bool notified = co_await changed.wait_for(1ms);
        CHECK_FALSE(notified);
    }());
}

TEST_CASE("being cancelled while waiting for a signal or a time is no failure", "[async]") {
    asio::io_context loop(1);
    std::vector<std::string> failures;
    async::task_group tasks(loop, [&](const std::string& name, const std::string& what) {
        failures.push_back(name + ": " + what);
    });
    async::signal changed(loop);
    tasks.spawn("waits", [](async::signal& signal) -> asio::awaitable<void> {
        co_await signal.wait_for(10s);
    }(changed));
    run(loop, [](async::task_group& group) -> asio::awaitable<void> {
        co_await async::sleep_for(1ms);
        group.cancel();
        co_await group.join();
    }(tasks));
    CHECK(failures.empty());
}

TEST_CASE("a pool runs jobs on its threads and returns on the loop", "[async]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    async::worker_pool pool({"test", 2, 8}, metrics);
    const auto loop_thread = std::this_thread::get_id();
    run(loop, [&]() -> asio::awaitable<void> {
        auto job = [](std::size_t index) -> result<std::thread::id> {
            CHECK(index < 2);
            return std::this_thread::get_id();
        };
        const auto worked_on = co_await pool.run(std::move(job), soon());
        REQUIRE(worked_on);
        CHECK((*worked_on != loop_thread));
        CHECK((std::this_thread::get_id() == loop_thread));
        auto broken = [](std::size_t) -> result<int> {
            throw std::runtime_error("bug");
        };
        const auto failed = co_await pool.run(std::move(broken), soon());
        REQUIRE_FALSE(failed);
        CHECK(failed.error().slug == "test-pool-exception");
    }());
}

TEST_CASE("a pool refuses when full, and skips what waited too long", "[async]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    async::worker_pool pool({"test", 1, 1}, metrics);
    std::promise<void> gate;
    std::promise<void> begun;
    auto opened = gate.get_future().share();
    std::vector<std::string> outcomes;
    bool overdue_ran = false;
    const auto blocker = [&]() -> asio::awaitable<void> {
        auto job = [&begun, opened](std::size_t) -> result<int> {
            begun.set_value();
            opened.wait();
            return 1;
        };
        const auto done = co_await pool.run(std::move(job), soon());
        outcomes.push_back(done ? "ran" : done.error().slug);
    };
    const auto overdue = [&]() -> asio::awaitable<void> {
        auto job = [&overdue_ran](std::size_t) -> result<int> {
            overdue_ran = true;
            return 1;
        };
        const auto done = co_await pool.run(std::move(job), std::chrono::steady_clock::now());
        outcomes.push_back(done ? "ran" : done.error().slug);
    };
    async::task_group tasks(loop, [](const std::string&, const std::string&) {});
    tasks.spawn("blocker", blocker());
    run(loop, [&]() -> asio::awaitable<void> {
        co_await async::sleep_for(1ms);
        begun.get_future().wait();
        tasks.spawn("overdue", overdue());
        co_await async::sleep_for(1ms);
        auto job = [](std::size_t) -> result<int> {
            return 1;
        };
        const auto refused = co_await pool.run(std::move(job), soon());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().slug == "test-pool-full");
        gate.set_value();
        co_await tasks.join();
    }());
    CHECK(outcomes == std::vector<std::string>{"ran", "test-pool-deadline"});
    CHECK_FALSE(overdue_ran);
}

TEST_CASE("an operation that takes too long is a timeout", "[async]") {
    asio::io_context loop(1);
    run(loop, []() -> asio::awaitable<void> {
        const auto slow = []() -> asio::awaitable<result<int>> {
            co_await async::sleep_for(1h);
            co_return 1;
        };
        const auto quick = []() -> asio::awaitable<result<int>> {
            co_return 2;
        };
        const auto late = co_await async::with_timeout(slow(), 2ms, "too-slow");
        REQUIRE_FALSE(late);
        CHECK(late.error().slug == "too-slow");
        const auto in_time = co_await async::with_timeout(quick(), 1h, "too-slow");
        REQUIRE(in_time);
        CHECK(*in_time == 2);
    }());
}

TEST_CASE("backoff doubles up to its limit and is never zero", "[async]") {
    const async::backoff curve{100ms, 1'000ms};
    CHECK(curve.wait(1, 0) == 50ms);
    CHECK(curve.wait(1, 50) == 100ms);
    CHECK(curve.wait(3, 350) == 400ms);
    for (unsigned attempt = 1; attempt < 100; ++attempt) {
        const auto wait = curve.wait(attempt);
        CHECK(wait >= 50ms);
        CHECK(wait <= 1'000ms);
    }
}
