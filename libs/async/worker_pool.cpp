#include "async/worker_pool.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace relais::async {

namespace detail {

struct job {
    std::function<void(std::size_t)> body;
    std::function<void(std::optional<error>)> done;
    worker_pool::deadline until;
    std::chrono::steady_clock::time_point queued_at;
};

struct pool_state {
    worker_pool_settings settings;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<job> queue;
    bool stopping = false;
    std::vector<std::thread> threads;
    metrics::gauge queued;
    metrics::gauge busy;
    metrics::histogram wait_seconds;
    metrics::counter rejected;
};

} // namespace detail

namespace {

error refusal(error_kind kind, const detail::pool_state& state, std::string_view why) {
    return error{kind, fmt::format("{}-pool-{}", state.settings.name, why),
                 fmt::format("the {} pool: {}", state.settings.name, why), "", std::nullopt};
}

std::optional<error> run_body(const detail::pool_state& state, const detail::job& next,
                              std::size_t index) {
    try {
        next.body(index);
        return std::nullopt;
    } catch (const std::exception& thrown) {
        auto failed = refusal(error_kind::internal, state, "exception");
        failed.detail = thrown.what();
        return failed;
    }
}

void work(detail::pool_state& state, std::size_t index) {
    pthread_setname_np(pthread_self(), fmt::format("{}-{}", state.settings.name, index).c_str());
    std::unique_lock lock(state.mutex);
    while (true) {
        state.changed.wait(lock, [&] { return state.stopping || !state.queue.empty(); });
        if (state.queue.empty()) {
            return;
        }
        detail::job next = std::move(state.queue.front());
        state.queue.pop_front();
        state.queued.set(static_cast<double>(state.queue.size()));
        const bool stopping = state.stopping;
        lock.unlock();
        const auto now = std::chrono::steady_clock::now();
        state.wait_seconds.observe(std::chrono::duration<double>(now - next.queued_at).count());
        std::optional<error> outcome;
        if (stopping) {
            outcome = refusal(error_kind::unavailable, state, "stopped");
        } else if (now >= next.until) {
            outcome = refusal(error_kind::timeout, state, "deadline");
        } else {
            state.busy.add(1);
            outcome = run_body(state, next, index);
            state.busy.add(-1);
        }
        next.body = nullptr; // what it captured must die here, not with the next job
        next.done(std::move(outcome));
        lock.lock();
    }
}

/// Queues the job, or answers at once why not.
void enqueue(detail::pool_state& state, detail::job next) {
    std::optional<error> refused;
    {
        const std::lock_guard lock(state.mutex);
        if (state.stopping) {
            refused = refusal(error_kind::unavailable, state, "stopped");
        } else if (state.queue.size() >= state.settings.queue_max) {
            refused = refusal(error_kind::unavailable, state, "full");
        }
        if (!refused) {
            state.queue.push_back(std::move(next));
            state.queued.set(static_cast<double>(state.queue.size()));
            state.changed.notify_one();
            return;
        }
    }
    state.rejected.increment();
    next.done(std::move(refused));
}

} // namespace

worker_pool::worker_pool(worker_pool_settings settings, metrics::registry& metrics)
    : state_(std::make_shared<detail::pool_state>()) {
    const metrics::labels labels{{"pool", settings.name}};
    state_->queued = metrics.gauge("thread_pool_queued", "Jobs that wait for a thread", labels);
    state_->busy = metrics.gauge("thread_pool_busy", "Threads at work", labels);
    state_->wait_seconds = metrics.histogram("thread_pool_wait_seconds", "Time in the queue",
                                             metrics::request_seconds(), labels);
    state_->rejected =
        metrics.counter("thread_pool_rejected_total", "Jobs refused: full or stopped", labels);
    metrics.gauge("thread_pool_threads", "Threads of the pool", labels)
        .set(static_cast<double>(settings.threads));
    state_->settings = std::move(settings);
    for (std::size_t i = 0; i < state_->settings.threads; ++i) {
        state_->threads.emplace_back([state = state_, i] { work(*state, i); });
    }
}

worker_pool::~worker_pool() {
    stop();
}

std::size_t worker_pool::threads() const {
    return state_->settings.threads;
}

void worker_pool::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->changed.notify_all();
    for (auto& thread : state_->threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

asio::awaitable<std::optional<error>> worker_pool::submit(std::function<void(std::size_t)> body,
                                                          deadline until) {
    auto initiate = [this, &body, until](auto handler) {
        // The guard keeps the loop alive while the job is on another thread.
        auto executor = asio::get_associated_executor(handler);
        auto guard = asio::make_work_guard(executor);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto done = [shared, guard, executor](std::optional<error> outcome) mutable {
            asio::post(executor, [shared, outcome = std::move(outcome)]() mutable {
                std::move (*shared)(std::move(outcome));
            });
            guard.reset();
        };
        enqueue(*state_, detail::job{std::move(body), std::move(done), until,
                                     std::chrono::steady_clock::now()});
    };
    auto outcome =
        co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<error>)>(
            std::move(initiate), asio::use_awaitable);
    co_return outcome;
}

} // namespace relais::async
