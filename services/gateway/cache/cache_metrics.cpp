#include "gateway/cache/cache_metrics.hpp"

namespace relais::gateway {

cache_metrics::cache_metrics(const response_cache& of, metrics::registry& metrics)
    : of_(of), metrics_(metrics) {
    metrics_.add(*this);
}

cache_metrics::~cache_metrics() {
    metrics_.remove(*this);
}

void cache_metrics::collect(metrics::samples& into) const {
    const auto seen = of_.look_at();
    const auto gauge = [&](const char* name, const char* help, std::size_t value) {
        into.gauge(name, help, {}, static_cast<double>(value));
    };
    const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
        into.counter(name, help, {}, static_cast<double>(value));
    };
    gauge("gateway_cache_bytes", "Memory that the response cache uses", seen.bytes);
    gauge("gateway_cache_bytes_max", "Memory that the response cache may use", seen.bytes_max);
    gauge("gateway_cache_answers", "Answers in the response cache", seen.answers);
    counter("gateway_cache_stored_total", "Answers put into the response cache", seen.stored);
    counter("gateway_cache_evicted_total", "Answers that went because others needed the room",
            seen.evicted);
    counter("gateway_cache_purged_total", "Answers that went because a purge named them",
            seen.purged);
}

} // namespace relais::gateway
