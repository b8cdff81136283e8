#pragma once

#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <map>
#include <mutex>
#include <string>

namespace relais::pg::detail {

/// What a pool counts. Thread-safe.
class pool_metrics {
public:
    explicit pool_metrics(metrics::registry& registry);

    /// After work on a thread: how long it took, and what kind of error it had.
    void observe(const std::string& query, double seconds, const result<void>& outcome);

    metrics::gauge open_connections;
    metrics::gauge reachable;
    metrics::counter connects;
    metrics::counter connects_failed;

private:
    metrics::registry& registry_;
    metrics::counter disk_full_;
    std::map<error_kind, metrics::counter> errors_;
    std::mutex mutex_;
    std::map<std::string, metrics::histogram, std::less<>> durations_;
};

} // namespace relais::pg::detail
