#pragma once

#include "gateway/client/h2_event.hpp"
#include "gateway/client/h2_stream.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "metrics/registry.hpp"

#include <array>
#include <memory>
#include <vector>

namespace relais::gateway {

/// What the HTTP/2 connections of one loop have together: streams that are used again, and
/// counters. Outlives the connections.
class h2_pool {
public:
    h2_pool(edge_loop& loop, metrics::registry& metrics);

    std::unique_ptr<h2_stream> take();
    void give(std::unique_ptr<h2_stream> stream);

    void count(h2_event what) {
        counters_[static_cast<std::size_t>(what)].increment();
    }

    /// For views of fields, while a head is read.
    std::vector<http::field_view>& scratch() {
        return scratch_;
    }

private:
    static constexpr std::size_t kept_max = 256;

    edge_loop& loop_;
    std::array<metrics::counter, h2_event_names.size()> counters_;
    std::vector<std::unique_ptr<h2_stream>> free_;
    std::vector<http::field_view> scratch_;
};

} // namespace relais::gateway
