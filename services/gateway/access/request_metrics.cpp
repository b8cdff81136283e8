#include "gateway/access/request_metrics.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

namespace relais::gateway {
namespace {

/// The same histogram of several loops, added up.
struct duration_sum {
    std::array<std::uint64_t, duration_cells::buckets> counts{};
    std::uint64_t sum_us = 0;

    void add(const duration_cells& cells) {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            counts[i] += cells.count(i);
        }
        sum_us += cells.sum_us();
    }

    bool is_empty() const {
        return std::ranges::all_of(counts, [](std::uint64_t count) { return count == 0; });
    }

    double seconds() const {
        return static_cast<double>(sum_us) / 1e6;
    }
};

} // namespace

request_metrics::request_metrics(std::size_t loops, const access_names& names,
                                 metrics::registry& metrics)
    : names_(names), metrics_(metrics) {
    for (std::size_t i = 0; i < loops; ++i) {
        loops_.push_back(std::make_unique<request_stats>(names));
    }
    metrics_.add(*this);
}

request_metrics::~request_metrics() {
    metrics_.remove(*this);
}

void request_metrics::collect(metrics::samples& into) const {
    std::int64_t active = 0;
    std::int64_t open = 0;
    for (const auto& loop : loops_) {
        active += loop->active_requests();
        open += loop->connections();
    }
    into.gauge("http_server_active_requests", "Requests in progress", {},
               static_cast<double>(active));
    into.gauge("http_server_connections", "Open connections of clients", {},
               static_cast<double>(open));
    collect_requests(into);
    collect_cached(into);
    const auto known = static_cast<std::uint16_t>(names_.upstreams.size() - 1);
    for (std::uint32_t index = 0; index <= known; ++index) {
        collect_upstream(into, static_cast<std::uint16_t>(index));
        collect_errors(into, static_cast<std::uint16_t>(index));
    }
}

void request_metrics::collect_requests(metrics::samples& into) const {
    std::map<std::tuple<std::uint16_t, method_label, std::uint16_t>, duration_sum> sums;
    for (const auto& loop : loops_) {
        const auto& cells = loop->requests();
        for (std::size_t i = 0, size = cells.size(); i < size; ++i) {
            sums[{cells[i].route, cells[i].method, cells[i].status}].add(cells[i].durations);
        }
    }
    for (const auto& [kind, sum] : sums) {
        if (sum.is_empty()) {
            continue;
        }
        const auto& [route, method, status] = kind;
        into.histogram("http_server_request_duration_seconds",
                       "Time from the request's head to the end of the answer",
                       metrics::request_seconds(),
                       {{"route", std::string(names_.routes.name(route))},
                        {"method", std::string(to_string(method))},
                        {"code", std::to_string(status)}},
                       sum.counts, sum.seconds());
    }
}

void request_metrics::collect_cached(metrics::samples& into) const {
    for (std::size_t i = 1; i < cache_status_count; ++i) {
        const auto how = static_cast<cache_status>(i);
        std::uint64_t count = 0;
        for (const auto& loop : loops_) {
            count += loop->cached(how);
        }
        into.counter("gateway_cache_requests_total",
                     "Requests on routes with a response cache, by what it did",
                     {{"result", std::string(to_string(how))}}, static_cast<double>(count));
    }
}

/// Services are there with 0, so that a ratio is never empty.
void request_metrics::collect_upstream(metrics::samples& into, std::uint16_t index) const {
    const bool named = index > name_table::other;
    for (std::size_t phase = 0; phase < upstream_phase_count; ++phase) {
        duration_sum sum;
        for (const auto& loop : loops_) {
            if (const auto* cells = loop->upstream(index)) {
                sum.add(cells->phases[phase]);
            }
        }
        if (named || !sum.is_empty()) {
            into.histogram("gateway_upstream_duration_seconds", "Time of an upstream phase",
                           metrics::request_seconds(),
                           {{"upstream", std::string(names_.upstreams.name(index))},
                            {"phase", std::string(to_string(upstream_phase(phase)))}},
                           sum.counts, sum.seconds());
        }
    }
}

/// Reasons are there with 0 where they are to be expected: a service's beside each service, the
/// others beside none.
void request_metrics::collect_errors(metrics::samples& into, std::uint16_t index) const {
    for (std::size_t i = 1; i < error_reason_count; ++i) {
        const auto reason = static_cast<error_reason>(i);
        std::uint64_t count = 0;
        for (const auto& loop : loops_) {
            if (const auto* cells = loop->upstream(index)) {
                count += cells->errors[i].load(std::memory_order_relaxed);
            }
        }
        const bool of_service = side_of(reason) == reason_side::service;
        const bool expected = of_service ? index > name_table::other : index == name_table::none;
        if (expected || count > 0) {
            into.counter(
                "gateway_errors_total", "Answers the gateway gave itself, by reason",
                {{"reason", std::string(to_string(reason))},
                 {"upstream",
                  index == name_table::none ? "none" : std::string(names_.upstreams.name(index))}},
                static_cast<double>(count));
        }
    }
}

} // namespace relais::gateway
