#include "notification/delivery/sender_metrics.hpp"

#include "rest/retry_budget.hpp"

namespace relais::notification {

sender_metrics::sender_metrics(metrics::registry& metrics, notification::channel which,
                               std::string_view provider)
    : channel_(to_string(which)) {
    const metrics::labels labels{{"channel", channel_}, {"provider", std::string(provider)}};
    for (const auto* result : {"accepted", "failed", "skipped", "retried", "ambiguous", "resent"}) {
        auto with_result = labels;
        with_result["result"] = result;
        results_[result] = metrics.counter("notification_delivery_total",
                                           "Outcomes of attempts to deliver", with_result);
    }
    for (const auto& what : all_kinds()) {
        if (which == notification::channel::mail && what.has_mail) {
            const std::string name(what.name);
            click_to_email_[name] = metrics.histogram(
                "click_to_email_seconds", "From the cause of a mail to the provider's acceptance",
                metrics::delivery_seconds(), {{"kind", name}});
        }
    }
    for (const auto* state : {"pending", "sending", "ambiguous"}) {
        queue_[state] = metrics.gauge("notification_queue_deliveries", "Deliveries not settled yet",
                                      {{"channel", channel_}, {"state", state}});
    }
    oldest_ = metrics.gauge("notification_queue_oldest_timestamp_seconds",
                            "When the oldest unsettled delivery was made, 0: there is none",
                            {{"channel", channel_}});
    paused_ =
        metrics.gauge("notification_channel_paused", "1 while the provider is left alone", labels);
    refused_ = metrics.gauge("notification_channel_refused",
                             "1 while the provider refuses our account: act", labels);
    retries_left_ = metrics.gauge("notification_retry_budget_left",
                                  "Retries allowed at once; negative: so many wait longer", labels);
    retries_left_.set(rest::retry_limits().reserve);
}

void sender_metrics::count(std::string_view result) const {
    if (const auto found = results_.find(result); found != results_.end()) {
        found->second.increment();
    }
}

void sender_metrics::accepted_after(const kind& what, std::chrono::microseconds took) const {
    if (const auto found = click_to_email_.find(what.name); found != click_to_email_.end()) {
        found->second.observe(std::chrono::duration<double>(took).count());
    }
}

void sender_metrics::queue(const std::vector<queue_size>& sizes) const {
    std::map<std::string, std::int64_t, std::less<>> counts;
    std::optional<timestamp> oldest;
    for (const auto& size : sizes) {
        if (size.channel == channel_) {
            counts[size.state] = size.count;
            oldest = oldest ? std::min(*oldest, size.oldest) : size.oldest;
        }
    }
    for (const auto& [state, gauge] : queue_) {
        gauge.set(static_cast<double>(counts[state]));
    }
    const auto since = oldest.value_or(timestamp{}).time_since_epoch();
    oldest_.set(std::chrono::duration<double>(since).count());
}

void sender_metrics::retries_left(double count) const {
    retries_left_.set(count);
}

void sender_metrics::channel(bool paused, bool refused) const {
    paused_.set(paused ? 1 : 0);
    refused_.set(refused ? 1 : 0);
}

} // namespace relais::notification
