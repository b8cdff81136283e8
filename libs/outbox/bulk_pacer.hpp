#pragma once

#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "outbox/relay.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace relais::outbox {

/// Moves staged events (append_bulk) into the outbox, a batch a transaction, and the next one only
/// when the relay has published the one before and as much time again has passed: so bulk work
/// takes what the rest leaves, and an event of append() waits for one batch at most. Runs beside
/// each relay; the one that publishes moves. Waits while nothing is published, and while the oldest
/// unsent event of any instance is older than `options.bulk_lag_max`. Metrics: outbox_bulk_*.
class bulk_pacer {
public:
    bulk_pacer(pg::pool& database, const relay& publisher, relay_options options,
               metrics::registry& metrics, log::logger logger);
    ~bulk_pacer();

    /// Runs until cancelled; outages are waited out. A batch that is under way at the end is moved
    /// or not, as a whole.
    boost::asio::awaitable<void> run();

    /// As the metric outbox_bulk_pacer_state has it.
    enum class state { standby, idle, moving, waiting };
    state current() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::outbox
