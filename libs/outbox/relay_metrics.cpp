#include "outbox/relay_metrics.hpp"

#include "clock/epoch_seconds.hpp"

namespace relais::outbox {

relay_metrics::relay_metrics(metrics::registry& registry)
    : relay_state(registry.gauge("outbox_relay_state",
                                 "0 starting, 1 standby, 2 streaming, 3 waiting, 4 blocked")),
      blocked(registry.gauge("outbox_blocked",
                             "1 while an event that Kafka refuses for good holds up the rest")),
      unsent_messages(registry.gauge("outbox_unsent_messages",
                                     "Committed events that the broker has not confirmed")),
      oldest_unsent(registry.gauge("outbox_oldest_unsent_timestamp_seconds",
                                   "When the oldest unsent event was committed; 0: none")),
      slot_lag_bytes(registry.gauge("outbox_slot_lag_bytes",
                                    "Write-ahead log that the slot still holds back")),
      last_success(registry.gauge("outbox_relay_last_success_timestamp_seconds",
                                  "When the broker last confirmed an event")),
      published(registry.counter("outbox_published_total", "Events confirmed by the broker")),
      refused(registry.counter("outbox_refused_total",
                               "Events left behind because Kafka refuses them for good")),
      repaired(registry.counter("outbox_repaired_total",
                                "Events published from the table after a slot was lost")),
      repairs(registry.counter("outbox_slot_repairs_total", "Slots made, the first one included")),
      session_failures(
          registry.counter("outbox_relay_failures_total", "Times the relay had to connect anew")),
      commit_to_delivery(registry.histogram("outbox_commit_to_delivery_seconds",
                                            "From COMMIT to the broker's confirmation",
                                            metrics::delivery_seconds())) {}

void relay_metrics::show_unsent(std::size_t count, std::optional<timestamp> oldest) const {
    unsent_messages.set(static_cast<double>(count));
    oldest_unsent.set(epoch_seconds(oldest));
}

} // namespace relais::outbox
