#pragma once

#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace relais::async {

namespace detail {
struct pool_state;
}

struct worker_pool_settings {
    std::string name; ///< metric label and thread name: "db", "cpu", "rest"
    std::size_t threads = 2;
    std::size_t queue_max = 256; ///< more waiting jobs than this are refused at once
};

/// A named, bounded pool for work that blocks. Coroutines hand it a function and are resumed on
/// their own thread with what it returned. Metrics:
/// thread_pool_{queued,busy,wait_seconds,rejected_total}.
class worker_pool {
public:
    using deadline = std::chrono::steady_clock::time_point;

    worker_pool(worker_pool_settings settings, metrics::registry& metrics);

    /// Stops (as stop() does).
    ~worker_pool();
    worker_pool(const worker_pool&) = delete;
    worker_pool& operator=(const worker_pool&) = delete;

    /// Runs job(index of the thread) on a thread of the pool; job returns a result<T>.
    /// Errors besides its own: `unavailable` / "<name>-pool-full" at once when the queue is full or
    /// the pool is stopped; `timeout` / "<name>-pool-deadline" when the deadline passed in the
    /// queue (the job did not run). A job that has begun is never cut short; give it the deadline
    /// too. An exception of the job is a bug and comes back as `internal` /
    /// "<name>-pool-exception".
    template <std::invocable<std::size_t> Job>
    boost::asio::awaitable<std::invoke_result_t<Job, std::size_t>> run(Job job, deadline until) {
        using outcome = std::invoke_result_t<Job, std::size_t>;
        auto answer = std::make_shared<std::optional<outcome>>(); // shared with the pool's thread
        std::function<void(std::size_t)> body =
            [answer, work = std::make_shared<Job>(std::move(job))](std::size_t thread) {
                answer->emplace((*work)(thread));
            };
        const std::optional<error> failed = co_await submit(std::move(body), until);
        if (failed) {
            co_return std::unexpected(*failed);
        }
        co_return std::move(**answer);
    }

    std::size_t threads() const;

    /// Lets running jobs end, answers the waiting ones with `unavailable`, joins the threads.
    void stop();

private:
    boost::asio::awaitable<std::optional<error>> submit(std::function<void(std::size_t)> body,
                                                        deadline until);

    std::shared_ptr<detail::pool_state> state_; // shared with the pool's threads
};

} // namespace relais::async
