#pragma once

#include "async/signal.hpp"
#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <string>

namespace relais::notification {

/// Makes something of the webhooks that were kept: the ledger's feedback, the health of addresses,
/// dead devices. Each event takes effect once, however often and in whatever grouping it comes.
/// Metrics: notification_webhook_total{outcome}. Also sweeps old rows, once an hour.
class webhook_processor {
public:
    webhook_processor(pg::pool& database, std::string service, config::secret address_key,
                      const clock& time, boost::asio::io_context& loop, metrics::registry& metrics,
                      log::logger logger);

    void wake();

    /// Until cancelled.
    boost::asio::awaitable<void> run();

private:
    boost::asio::awaitable<result<int>> process_some();
    boost::asio::awaitable<void> sweep_when_due();

    pg::pool& database_;
    std::string service_;
    config::secret address_key_;
    const clock& time_;
    log::logger logger_;
    metrics::counter done_;
    metrics::counter malformed_;
    async::signal changed_;
    bool awake_ = true;
    std::chrono::steady_clock::time_point next_sweep_{};
};

} // namespace relais::notification
