#pragma once

#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"
#include "timers/firing.hpp"
#include "timers/retry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace relais::timers {

struct runner_settings {
    /// How many timers fire at once, each on a connection of the pool; leave the pool some for
    /// others. One kind gets all but one of them, so a slow kind does not hold up the others.
    std::size_t concurrency = 2;
};

/// Fires due timers: the handler runs in the transaction that removes the timer, so exactly one
/// firing takes effect however many instances run. A handler that fails is tried again as the
/// kind's policy says. Wakes at the next due time; looks at least every second.
///
/// Metrics: timers_fired_total, timers_failed_total, timers_skipped_total, timers_given_up_total
/// {kind, reason: failed | expired | crashed}, timer_lateness_seconds, timers_overdue_seconds.
class runner {
public:
    using handler = timers::handler;

    runner(pg::pool& database, const clock& time, boost::asio::io_context& loop,
           metrics::registry& metrics, log::logger logger, runner_settings settings = {});
    ~runner();

    /// Before run(). A kind that no instance has a handler for stays where it is.
    void on(std::string kind, handler fire, policy failures = {});

    /// Until cancelled; firings that have begun end first, what was only claimed is given back.
    boost::asio::awaitable<void> run();

    /// To be called after the commit that set a timer that is due within a second, from any thread:
    /// the runner looks at once. May be called as long as the loop exists.
    std::function<void()> waker();

private:
    struct impl;
    std::shared_ptr<impl> impl_; // shared with wakers that are on their way through the loop
};

} // namespace relais::timers
