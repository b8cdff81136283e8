#pragma once

#include "async/signal.hpp"
#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "mailing-list-sync/campaigns/templates.hpp"
#include "mailing-list-sync/provider/brevo.hpp"
#include "mailing-list-sync/store/campaigns.hpp"
#include "mailing-list-sync/workers/list_directory.hpp"
#include "postgres/pool.hpp"

namespace relais::mailing_list_sync {

/// Carries campaigns out at the provider, one per language: create, send, follow. Each step is
/// written down before the next; a step whose answer was lost is looked up by the campaign's tag,
/// never blindly repeated, so nobody gets a campaign twice.
class campaign_sync {
public:
    struct tools {
        pg::pool& database;
        brevo& provider;
        list_directory& lists;
        const campaign_templates& templates;
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        std::string service;
        std::string sender_name;
        std::string sender_email;
    };

    campaign_sync(tools given, boost::asio::io_context& loop);

    boost::asio::awaitable<void> run();
    void wake();

private:
    boost::asio::awaitable<void> advance(campaign_part part);
    boost::asio::awaitable<result<void>> create(campaign_part part, trace::context where);
    boost::asio::awaitable<result<void>> send(campaign_part part, trace::context where);
    boost::asio::awaitable<result<void>> follow(campaign_part part, trace::context where);
    boost::asio::awaitable<result<void>> move_to(campaign_part part, std::string state,
                                                 std::int64_t remote_id,
                                                 std::optional<timestamp> not_before);
    boost::asio::awaitable<void> settle_failure(campaign_part part, error why);

    tools tools_;
    async::signal woken_;
    metrics::counter sent_;
    metrics::counter failed_;
};

} // namespace relais::mailing_list_sync
