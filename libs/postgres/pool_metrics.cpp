#include "postgres/pool_metrics.hpp"

namespace relais::pg::detail {

pool_metrics::pool_metrics(metrics::registry& registry)
    : open_connections(registry.gauge("db_connections", "Open database connections")),
      reachable(registry.gauge("db_reachable", "1 while the database can be reached")),
      connects(registry.counter("db_connects_total", "Database connections opened")),
      connects_failed(
          registry.counter("db_connects_failed_total", "Database connections not opened")),
      registry_(registry),
      disk_full_(registry.counter("db_disk_full_total",
                                  "Database work that failed because its disc is full")) {
    for (const auto kind : {error_kind::conflict, error_kind::invalid, error_kind::unavailable,
                            error_kind::timeout, error_kind::internal}) {
        errors_[kind] = registry.counter("db_errors_total", "Database work that failed",
                                         {{"kind", std::string(to_string(kind))}});
    }
}

void pool_metrics::observe(const std::string& query, double seconds, const result<void>& outcome) {
    {
        const std::lock_guard lock(mutex_);
        auto known = durations_.find(query);
        if (known == durations_.end()) {
            const auto made = registry_.histogram("db_query_duration_seconds",
                                                  "Time of a transaction on its thread",
                                                  metrics::request_seconds(), {{"query", query}});
            known = durations_.emplace(query, made).first;
        }
        known->second.observe(seconds);
    }
    if (!outcome) {
        const auto counted = errors_.find(outcome.error().kind);
        if (counted != errors_.end()) {
            counted->second.increment();
        }
        disk_full_.increment(outcome.error().slug == "database-disk-full" ? 1 : 0);
    }
}

} // namespace relais::pg::detail
