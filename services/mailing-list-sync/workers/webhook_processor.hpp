#pragma once

#include "async/signal.hpp"
#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "mailing-list-sync/store/webhooks.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <functional>
#include <string>

namespace relais::mailing_list_sync {

/// Makes sense of the webhooks that were kept: an opt-out goes into the ledger, out as an event,
/// and asks for a sync; news of a campaign asks for its statistics. One transaction per batch.
class webhook_processor {
public:
    struct tools {
        pg::pool& database;
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        std::string service;
        std::function<void()> wake_contact_sync;
        std::function<void()> wake_campaign_sync;
    };

    webhook_processor(tools given, boost::asio::io_context& loop);

    boost::asio::awaitable<void> run();
    void wake();

private:
    result<int> process_batch(pg::transaction& tx) const;
    std::string process_one(pg::transaction& tx, const webhook_event& raw, timestamp now) const;

    tools tools_;
    async::signal woken_;
    metrics::counter processed_;
    metrics::counter undecodable_;
};

} // namespace relais::mailing_list_sync
