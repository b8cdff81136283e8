#pragma once

#include "metrics/registry.hpp"
#include "notification/domain/kinds.hpp"
#include "notification/store/deliveries.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace relais::notification {

/// What a sender counts: notification_delivery_total{channel,provider,result},
/// click_to_email_seconds{kind}, notification_queue_deliveries{channel,state},
/// notification_queue_oldest_timestamp_seconds{channel},
/// notification_channel_paused{channel,provider}, notification_channel_refused{channel,provider},
/// notification_retry_budget_left{channel,provider}.
class sender_metrics {
public:
    sender_metrics(metrics::registry& metrics, channel which, std::string_view provider);

    /// accepted, failed, skipped, retried, ambiguous, resent
    void count(std::string_view result) const;
    /// From the cause's time to the provider's yes.
    void accepted_after(const kind& what, std::chrono::microseconds took) const;
    void queue(const std::vector<queue_size>& sizes) const;
    void channel(bool paused, bool refused) const;
    /// Of the retry budget; negative: so many wait for their turn.
    void retries_left(double count) const;

private:
    std::string channel_;
    std::map<std::string, metrics::counter, std::less<>> results_;
    std::map<std::string, metrics::histogram, std::less<>> click_to_email_;
    std::map<std::string, metrics::gauge, std::less<>> queue_;
    metrics::gauge oldest_;
    metrics::gauge paused_;
    metrics::gauge refused_;
    metrics::gauge retries_left_;
};

} // namespace relais::notification
