#include "gateway/upstream/service.hpp"

namespace relais::gateway {

service_metrics service_metrics_of(const std::string& name, metrics::registry& metrics) {
    const auto connections = [&](const char* origin) {
        return metrics.counter("gateway_upstream_connections_total", "Connections by origin",
                               {{"upstream", name}, {"origin", origin}});
    };
    const auto failures = [&](const char* cause) {
        return metrics.counter("gateway_upstream_connect_failures_total",
                               "Connections that could not be made, by cause",
                               {{"upstream", name}, {"cause", cause}});
    };
    const auto retries = [&](const char* outcome) {
        return metrics.counter("gateway_upstream_retries_total",
                               "Requests that might be sent again, by what came of it",
                               {{"upstream", name}, {"result", outcome}});
    };
    const auto hedges = [&](const char* outcome) {
        return metrics.counter(
            "gateway_upstream_hedges_total",
            "Requests that might be sent to a second instance, by what came of it",
            {{"upstream", name}, {"result", outcome}});
    };
    return {connections("new"),        connections("pool"), failures("refused_or_silent"),
            failures("no_local_port"), failures("tls"),     retries("sent"),
            retries("over_budget"),    hedges("sent"),      hedges("won"),
            hedges("over_budget")};
}

} // namespace relais::gateway
