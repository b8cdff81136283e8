#include "http/server_metrics.hpp"

namespace relais::http {

server_metrics::server_metrics(metrics::registry& metrics)
    : active_requests(metrics.gauge("http_server_active_requests", "Requests in progress")),
      connections(metrics.gauge("http_server_connections", "Open connections of clients")),
      metrics_(metrics) {
    for (const char* reason : {"malformed", "body_too_large", "timeout"}) {
        rejected_[reason] =
            metrics.counter("http_server_rejected_total",
                            "Requests refused before a handler saw them", {{"reason", reason}});
    }
}

void server_metrics::observe(const std::string& route, const std::string& method, int status,
                             std::chrono::steady_clock::duration took) {
    auto [at, fresh] = durations_.try_emplace({route, method, status});
    if (fresh) {
        at->second = metrics_.histogram(
            "http_server_request_duration_seconds", "From the head's end to the answer's end",
            metrics::request_seconds(),
            {{"route", route}, {"method", method}, {"code", std::to_string(status)}});
    }
    at->second.observe(std::chrono::duration<double>(took).count());
}

void server_metrics::count_rejected(const std::string& reason) {
    rejected_[reason].increment();
}

} // namespace relais::http
