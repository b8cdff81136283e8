#include "gateway/client/h2_pool.hpp"

namespace relais::gateway {

h2_pool::h2_pool(edge_loop& loop, metrics::registry& metrics) : loop_(loop) {
    for (std::size_t i = 0; i < counters_.size(); ++i) {
        counters_[i] = metrics.counter("gateway_http2_events_total",
                                       "What HTTP/2 clients did that ended a stream or connection",
                                       {{"event", std::string(h2_event_names[i])}});
    }
}

std::unique_ptr<h2_stream> h2_pool::take() {
    if (free_.empty()) {
        return std::make_unique<h2_stream>(loop_);
    }
    auto stream = std::move(free_.back());
    free_.pop_back();
    return stream;
}

void h2_pool::give(std::unique_ptr<h2_stream> stream) {
    if (free_.size() < kept_max) {
        free_.push_back(std::move(stream));
    }
}

} // namespace relais::gateway
