#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "mailing-list-sync/domain/sync_decision.hpp"
#include "mailing-list-sync/provider/brevo.hpp"
#include "mailing-list-sync/store/tasks.hpp"
#include "mailing-list-sync/workers/list_directory.hpp"
#include "postgres/pool.hpp"
#include "rest/retry_budget.hpp"

namespace relais::mailing_list_sync {

/// Makes people equal at the provider: leases tasks, reads the current wish (not the event), calls,
/// records. At most one call per person is in flight anywhere. A kill -9 between call and record
/// repeats the call, which changes nothing there.
class contact_sync {
public:
    struct tools {
        pg::pool& database;
        brevo& provider;
        list_directory& lists;
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        std::string service;
        std::string instance;
    };

    contact_sync(tools given, boost::asio::io_context& loop);

    /// Runs until cancelled.
    boost::asio::awaitable<void> run();

    /// On the loop's thread.
    void wake();

private:
    boost::asio::awaitable<void> handle(sync_task task);
    boost::asio::awaitable<result<void>> carry_out(const sync_task& task,
                                                   const sync_decision& decision);
    boost::asio::awaitable<result<void>> record(sync_task task, sync_decision decision);
    boost::asio::awaitable<void> retry(sync_task task, error why);
    boost::asio::awaitable<std::chrono::milliseconds> lease_and_start();

    tools tools_;
    async::signal woken_;
    async::task_group running_;
    std::size_t in_flight_ = 0;
    rest::retry_budget budget_{rest::retry_limits()};
    metrics::counter done_;
    metrics::counter failed_;
    metrics::histogram seconds_;
    metrics::gauge retries_left_;
};

} // namespace relais::mailing_list_sync
