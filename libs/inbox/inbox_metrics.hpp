#pragma once

#include "clock/clock.hpp"
#include "inbox/invoke.hpp"
#include "kafka/consumer.hpp"
#include "metrics/registry.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace relais::inbox {

/// The consumer's time series, looked up once.
class inbox_metrics {
public:
    inbox_metrics(metrics::registry& registry, const std::vector<std::string>& topics);

    void count(const std::string& topic, outcome what, std::size_t events = 1);
    void observe_age(const std::string& topic, std::chrono::microseconds age);
    void count_lost(const std::string& topic, std::int64_t records);
    void set_lag(const kafka::topic_partition& where, std::int64_t records);
    /// Everything up to this moment is handled.
    void set_position(const std::string& topic, timestamp time);
    void set_held_keys(std::int64_t keys);
    void set_overdue(std::size_t handlers);
    /// oldest: when the oldest of them died; the epoch when there are none.
    void set_dead_letters(const std::string& topic, std::int64_t letters, timestamp oldest);

    const std::vector<std::string>& topics() const {
        return topics_;
    }

private:
    struct topic_series {
        std::array<metrics::counter, outcome_count> processed;
        metrics::histogram age;
        metrics::counter lost;
        metrics::gauge position;
        metrics::gauge dead_letters;
        metrics::gauge oldest_dead_letter;
    };

    topic_series& series_of(const std::string& topic);

    metrics::registry& registry_;
    std::vector<std::string> topics_;
    std::map<std::string, topic_series> series_;
    std::map<kafka::topic_partition, metrics::gauge> lag_;
    metrics::gauge held_keys_;
    metrics::gauge overdue_;
};

} // namespace relais::inbox
