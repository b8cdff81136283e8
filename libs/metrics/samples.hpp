#pragma once

// For the .cpp files of this library only.

#include "metrics/collectable.hpp"

#include <prometheus/metric_family.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace relais::metrics {

/// Adds what collectables tell to the families that the registry collected. Prometheus takes no
/// page on which a family or a series is twice.
class merged_samples final : public samples {
public:
    explicit merged_samples(std::vector<prometheus::MetricFamily>& families);

    void counter(std::string_view name, std::string_view help, const labels& of,
                 double value) override;
    void gauge(std::string_view name, std::string_view help, const labels& of,
               double value) override;
    void histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                   const labels& of, std::span<const std::uint64_t> counts, double sum) override;

private:
    prometheus::ClientMetric& series(std::string_view name, std::string_view help,
                                     prometheus::MetricType type, const labels& of);
    prometheus::MetricFamily& family(std::string_view name, std::string_view help,
                                     prometheus::MetricType type);

    std::vector<prometheus::MetricFamily>& families_;
    std::unordered_map<std::string, std::size_t> family_at_; ///< by name
    std::unordered_map<std::string, std::size_t> series_at_; ///< by name and labels
};

} // namespace relais::metrics
