#include "inbox/inbox_metrics.hpp"

#include "clock/epoch_seconds.hpp"

namespace relais::inbox {
inbox_metrics::inbox_metrics(metrics::registry& registry, const std::vector<std::string>& topics)
    : registry_(registry), topics_(topics),
      held_keys_(registry.gauge("inbox_parked_keys", "Keys whose events wait")),
      overdue_(registry.gauge("inbox_overdue_handlers", "Handlers beyond their deadline")) {
    for (const auto& topic : topics) {
        series_of(topic);
    }
}

inbox_metrics::topic_series& inbox_metrics::series_of(const std::string& topic) {
    const auto known = series_.find(topic);
    if (known != series_.end()) {
        return known->second;
    }
    const metrics::labels label{{"topic", topic}};
    topic_series made;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        made.processed[i] = registry_.counter(
            "kafka_consumer_processed_total", "Events by what became of them",
            {{"topic", topic}, {"result", std::string(to_string(static_cast<outcome>(i)))}});
    }
    made.age = registry_.histogram("kafka_consumer_event_age_seconds",
                                   "From the event's time to its handling",
                                   metrics::delivery_seconds(), label);
    made.lost = registry_.counter("inbox_lost_records_total",
                                  "Records that were deleted before they were read", label);
    made.position = registry_.gauge("kafka_consumer_position_timestamp_seconds",
                                    "Everything up to this time is handled", label);
    made.dead_letters = registry_.gauge("inbox_dead_letters", "Dead letters not redriven", label);
    made.oldest_dead_letter = registry_.gauge("inbox_dead_letter_oldest_timestamp_seconds",
                                              "Time of the oldest one, 0 without one", label);
    return series_.emplace(topic, made).first->second;
}

void inbox_metrics::count(const std::string& topic, outcome what, std::size_t events) {
    series_of(topic).processed[static_cast<std::size_t>(what)].increment(
        static_cast<double>(events));
}

void inbox_metrics::observe_age(const std::string& topic, std::chrono::microseconds age) {
    series_of(topic).age.observe(std::chrono::duration<double>(age).count());
}

void inbox_metrics::count_lost(const std::string& topic, std::int64_t records) {
    series_of(topic).lost.increment(static_cast<double>(records));
}

void inbox_metrics::set_lag(const kafka::topic_partition& where, std::int64_t records) {
    auto known = lag_.find(where);
    if (known == lag_.end()) {
        known =
            lag_.emplace(where, registry_.gauge("kafka_consumer_lag_messages",
                                                "Records behind the end of the partition",
                                                {{"topic", where.topic},
                                                 {"partition", std::to_string(where.partition)}}))
                .first;
    }
    known->second.set(static_cast<double>(records));
}

void inbox_metrics::set_position(const std::string& topic, timestamp time) {
    series_of(topic).position.set(epoch_seconds(time));
}

void inbox_metrics::set_held_keys(std::int64_t keys) {
    held_keys_.set(static_cast<double>(keys));
}

void inbox_metrics::set_overdue(std::size_t handlers) {
    overdue_.set(static_cast<double>(handlers));
}

void inbox_metrics::set_dead_letters(const std::string& topic, std::int64_t letters,
                                     timestamp oldest) {
    auto& series = series_of(topic);
    series.dead_letters.set(static_cast<double>(letters));
    series.oldest_dead_letter.set(epoch_seconds(oldest));
}

} // namespace relais::inbox
