#pragma once

#include "gateway/cache/response_cache.hpp"
#include "metrics/registry.hpp"

namespace relais::gateway {

/// What the response cache holds, as Prometheus sees it: gateway_cache_bytes,
/// gateway_cache_bytes_max, gateway_cache_answers, gateway_cache_stored_total,
/// gateway_cache_evicted_total, gateway_cache_purged_total. What it did for requests:
/// request_metrics.
class cache_metrics final : public metrics::collectable {
public:
    /// `of` and `metrics` must outlive this.
    cache_metrics(const response_cache& of, metrics::registry& metrics);
    ~cache_metrics() override;
    cache_metrics(const cache_metrics&) = delete;
    cache_metrics& operator=(const cache_metrics&) = delete;

    void collect(metrics::samples& into) const override;

private:
    const response_cache& of_;
    metrics::registry& metrics_;
};

} // namespace relais::gateway
