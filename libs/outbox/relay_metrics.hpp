#pragma once

#include "clock/clock.hpp"
#include "metrics/registry.hpp"

#include <optional>

namespace relais::outbox {

/// The relay's time series. `relay_state` is the number of relay::state: 0 starting, 1 standby,
/// 2 streaming, 3 waiting, 4 blocked.
struct relay_metrics {
    explicit relay_metrics(metrics::registry& registry);

    /// Events on their way, and when the oldest of them was committed.
    void show_unsent(std::size_t count, std::optional<timestamp> oldest) const;

    metrics::gauge relay_state;
    metrics::gauge blocked;
    metrics::gauge unsent_messages;
    metrics::gauge oldest_unsent;
    metrics::gauge slot_lag_bytes;
    metrics::gauge last_success;
    metrics::counter published;
    metrics::counter refused;
    metrics::counter repaired;
    metrics::counter repairs;
    metrics::counter session_failures;
    metrics::histogram commit_to_delivery;
};

} // namespace relais::outbox
