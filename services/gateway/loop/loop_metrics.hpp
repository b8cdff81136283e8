#pragma once

#include "gateway/loop/edge_loop.hpp"
#include "metrics/registry.hpp"

#include <vector>

namespace relais::gateway {

/// How busy each loop is: gateway_loop_cpu_seconds_total{loop}. Costs the loops nothing: the kernel
/// counts. The page has to be made on the thread that starts and stops the loops.
class loop_metrics final : public metrics::collectable {
public:
    explicit loop_metrics(metrics::registry& metrics);
    ~loop_metrics() override;
    loop_metrics(const loop_metrics&) = delete;
    loop_metrics& operator=(const loop_metrics&) = delete;

    /// Has to outlive this.
    void add(const edge_loop& loop) {
        loops_.push_back(&loop);
    }

    void collect(metrics::samples& into) const override;

private:
    metrics::registry& metrics_;
    std::vector<const edge_loop*> loops_;
};

} // namespace relais::gateway
