#include "gateway/listeners/certificate_metrics.hpp"

namespace relais::gateway {

certificate_metrics::certificate_metrics(const listener_set& of, metrics::registry& metrics)
    : of_(of), metrics_(metrics) {
    metrics_.add(*this);
}

certificate_metrics::~certificate_metrics() {
    metrics_.remove(*this);
}

void certificate_metrics::collect(metrics::samples& into) const {
    for (const auto& each : of_.certificates()) {
        const auto ends = std::chrono::floor<std::chrono::seconds>(each.facts.not_after);
        into.gauge("gateway_certificate_expiry_timestamp_seconds",
                   "When the first certificate of a chain ends",
                   {{"listener", each.listener}, {"file", each.facts.chain_file}},
                   static_cast<double>(ends.time_since_epoch().count()));
    }
}

} // namespace relais::gateway
