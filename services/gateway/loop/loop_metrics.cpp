#include "gateway/loop/loop_metrics.hpp"

#include <string>

namespace relais::gateway {

loop_metrics::loop_metrics(metrics::registry& metrics) : metrics_(metrics) {
    metrics_.add(*this);
}

loop_metrics::~loop_metrics() {
    metrics_.remove(*this);
}

void loop_metrics::collect(metrics::samples& into) const {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const std::chrono::duration<double> used = loops_[i]->cpu_time();
        into.counter("gateway_loop_cpu_seconds_total",
                     "Processor time of an event loop: by rate, the share of its core in use",
                     {{"loop", std::to_string(i)}}, used.count());
    }
}

} // namespace relais::gateway
