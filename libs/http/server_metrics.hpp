#pragma once

#include "metrics/registry.hpp"

#include <chrono>
#include <map>
#include <string>
#include <tuple>

// Internal: what a server counts.
namespace relais::http {

/// Rate, errors and duration by route template, method and status, and what stands around requests.
class server_metrics {
public:
    explicit server_metrics(metrics::registry& metrics);

    void observe(const std::string& route, const std::string& method, int status,
                 std::chrono::steady_clock::duration took);

    /// Requests that were not worth a handler: "malformed", "body_too_large", "timeout" …
    void count_rejected(const std::string& reason);

    metrics::gauge active_requests;
    metrics::gauge connections;

private:
    metrics::registry& metrics_;
    std::map<std::tuple<std::string, std::string, int>, metrics::histogram> durations_;
    std::map<std::string, metrics::counter> rejected_;
};

} // namespace relais::http
