#pragma once

#include "gateway/access/access_names.hpp"
#include "gateway/access/request_stats.hpp"
#include "metrics/registry.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace relais::gateway {

/// The figures of all loops as Prometheus sees them, added up when it asks:
/// http_server_request_duration_seconds{route,method,code}, gateway_errors_total{reason,upstream},
/// gateway_upstream_duration_seconds{upstream,phase}, gateway_cache_requests_total{result},
/// http_server_active_requests, http_server_connections. Owns a request_stats per loop.
class request_metrics final : public metrics::collectable {
public:
    /// `names` and `metrics` must outlive this.
    request_metrics(std::size_t loops, const access_names& names, metrics::registry& metrics);
    ~request_metrics() override;
    request_metrics(const request_metrics&) = delete;
    request_metrics& operator=(const request_metrics&) = delete;

    /// For loop number `loop` to write.
    request_stats& loop(std::size_t loop) {
        return *loops_[loop];
    }

    void collect(metrics::samples& into) const override;

    /// All cells of all loops, kinds of requests more than once. Any thread.
    template <class Each>
    void each_request(Each each) const {
        for (const auto& loop : loops_) {
            const auto& cells = loop->requests();
            for (std::size_t i = 0, size = cells.size(); i < size; ++i) {
                each(cells[i]);
            }
        }
    }

private:
    void collect_requests(metrics::samples& into) const;
    void collect_cached(metrics::samples& into) const;
    void collect_upstream(metrics::samples& into, std::uint16_t index) const;
    void collect_errors(metrics::samples& into, std::uint16_t index) const;

    const access_names& names_;
    metrics::registry& metrics_;
    std::vector<std::unique_ptr<request_stats>> loops_; ///< they do not move
};

} // namespace relais::gateway
