#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "timers/runner.hpp"

#include <map>
#include <string>
#include <vector>

namespace relais::timers::detail {

/// Inside this library only: what a runner is while it runs. On the loop's thread.

struct surroundings {
    pg::pool& database;
    const clock& time;
    boost::asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
};

struct kind_state {
    handler fire;
    policy failures;
    metrics::counter fired;
    metrics::counter failed;
    metrics::counter skipped;
    metrics::counter given_up;
    metrics::counter expired;
    metrics::counter crashed;
    std::size_t in_flight = 0;
    std::size_t queued = 0;
    std::size_t read_ahead = 1; ///< how many are claimed at once; what is run in time decides
};

struct queued_timer {
    claimed_timer claimed;
    std::chrono::steady_clock::time_point since;
};

class runner_state {
public:
    runner_state(surroundings given, runner_settings settings);

    void add(std::string kind, handler fire, policy failures);
    void wake_up();

    /// Claims what is due and starts it, until cancelled.
    boost::asio::awaitable<void> feed();
    /// Waits for what has begun, gives back the rest.
    boost::asio::awaitable<void> finish();

    surroundings in;

private:
    struct look {
        std::vector<claimed_timer> claimed;
        std::optional<timestamp> next; ///< when another one of a kind with room is due
        std::optional<timestamp> most_overdue;
    };

    std::map<std::string, std::size_t> room() const;
    bool notice_clock(timestamp now);
    boost::asio::awaitable<result<look>> claim_due(std::map<std::string, std::size_t> wanted);
    void enqueue(std::vector<claimed_timer> claimed);
    void start_queued();
    std::vector<claimed_timer> remove_stale();
    boost::asio::awaitable<void> hand_back(std::vector<claimed_timer> claimed);
    boost::asio::awaitable<void> run_one(claimed_timer next);
    boost::asio::awaitable<void> attempt(claimed_timer next);
    boost::asio::awaitable<void> failed(claimed_timer next, error why);
    void count(kind_state& of_kind, const claimed_timer& what, fired outcome, timestamp now);

    std::size_t concurrency_;
    std::size_t kind_limit_;
    metrics::histogram lateness_;
    metrics::gauge overdue_;
    std::map<std::string, kind_state> kinds_;
    std::vector<queued_timer> queue_; ///< claimed, most urgent first
    std::size_t in_flight_ = 0;
    bool woken_ = false; ///< something changed since the last look
    timestamp last_now_ = timestamp::max();
    std::chrono::steady_clock::time_point next_clock_look_{};
    async::signal wake_;
    async::task_group firings_;
};

} // namespace relais::timers::detail
