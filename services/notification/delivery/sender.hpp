#pragma once

#include "async/signal.hpp"
#include "async/task_group.hpp"
#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "notification/channels/channel.hpp"
#include "notification/delivery/composer.hpp"
#include "notification/delivery/gate.hpp"
#include "notification/delivery/policy.hpp"
#include "notification/delivery/sender_metrics.hpp"
#include "postgres/pool.hpp"
#include "rest/retry_budget.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <set>
#include <vector>

namespace relais::notification {

struct sender_settings {
    notification::channel channel = channel::mail;
    std::string service;
    delivery_policy policy;
    /// How long a claim holds: longer than any call, or two instances send the same message.
    std::chrono::milliseconds lease{20'000};
};

/// Works off the ledger of one channel: claims due rows in one statement, sends them in batches of
/// what the provider takes, several at a time, and records what became of each. Woken by wake() the
/// moment a row is written, and by the rows' own times. A claim of a sender that died becomes an
/// ambiguous call, to be resolved as the provider allows. Everything on the loop's thread.
class sender {
public:
    /// `tasks` owns the batches on their way; it outlives run() and is joined after it.
    sender(sender_settings settings, pg::pool& database, provider_channel& provider,
           const composer& compose, const clock& time, boost::asio::io_context& loop,
           async::task_group& tasks, metrics::registry& metrics, log::logger logger);

    /// Rows may have become due.
    void wake();

    /// Until cancelled. Batches on their way end by themselves and record their outcome.
    boost::asio::awaitable<void> run();

private:
    using rows = std::vector<claimed_delivery>;

    struct change {
        claimed_delivery row;
        delivery_change what;
        std::vector<std::string> dead_subscriptions;
    };

    boost::asio::awaitable<void> work_off();
    boost::asio::awaitable<void> wait_for_work();
    boost::asio::awaitable<result<rows>> claim(std::size_t at_most);
    boost::asio::awaitable<void> look_at_queue();
    void show_gate() const;
    void start(rows claimed);
    boost::asio::awaitable<void> send_batch(rows batch);
    boost::asio::awaitable<void> resolve(claimed_delivery row);
    boost::asio::awaitable<void> record_all(std::vector<change> changes);

    struct arrival;

    change from_not_composed(const claimed_delivery& row, const not_composed& why);
    change from_verdict(const claimed_delivery& row, verdict given);
    change from_outcome(const claimed_delivery& row, const send_outcome& outcome);
    std::chrono::milliseconds pay_for_retry();
    /// Writes lines that carry the trace of the request behind the row.
    log::logger logger_for(const claimed_delivery& row) const;
    void spawn(std::string name, boost::asio::awaitable<void> task);

    sender_settings settings_;
    pg::pool& database_;
    provider_channel& provider_;
    const composer& composer_;
    const clock& time_;
    async::task_group& tasks_;
    sender_metrics metrics_;
    log::logger logger_;
    async::signal changed_;
    channel_gate gate_;
    rest::retry_budget budget_{rest::retry_limits()};
    bool awake_ = true;             // a wake() since the last claim
    std::size_t on_their_way_ = 0;  // batches and resolutions
    std::set<delivery_id> in_hand_; // their rows
    bool queue_changed_ = true;     // since it was measured
    std::chrono::steady_clock::time_point measured_at_{};
};

} // namespace relais::notification
