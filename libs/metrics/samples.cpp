#include "metrics/samples.hpp"

#include <cassert>
#include <limits>

namespace relais::metrics {
namespace {

using prometheus::MetricType;

std::vector<prometheus::ClientMetric::Label> to_native(const labels& of) {
    std::vector<prometheus::ClientMetric::Label> out;
    out.reserve(of.size());
    for (const auto& [name, value] : of) {
        out.push_back({name, value});
    }
    return out;
}

/// Names and labels without a byte that could be in them.
std::string key_of(std::string_view name,
                   const std::vector<prometheus::ClientMetric::Label>& native) {
    std::string key(name);
    for (const auto& label : native) {
        key += '\xff';
        key += label.name;
        key += '\xfe';
        key += label.value;
    }
    return key;
}

} // namespace

merged_samples::merged_samples(std::vector<prometheus::MetricFamily>& families)
    : families_(families) {
    for (std::size_t i = 0; i < families_.size(); ++i) {
        family_at_.emplace(families_[i].name, i);
        for (std::size_t k = 0; k < families_[i].metric.size(); ++k) {
            series_at_.emplace(key_of(families_[i].name, families_[i].metric[k].label), k);
        }
    }
}

prometheus::MetricFamily& merged_samples::family(std::string_view name, std::string_view help,
                                                 MetricType type) {
    assert(help.find('\n') == std::string_view::npos);
    const auto [at, fresh] = family_at_.try_emplace(std::string(name), families_.size());
    if (fresh) {
        prometheus::MetricFamily made;
        made.name = name;
        made.help = help;
        made.type = type;
        families_.push_back(std::move(made));
    }
    auto& found = families_[at->second];
    assert(found.type == type && "a name has one type");
    return found;
}

prometheus::ClientMetric& merged_samples::series(std::string_view name, std::string_view help,
                                                 MetricType type, const labels& of) {
    auto& in = family(name, help, type);
    auto native = to_native(of);
    const auto [at, fresh] = series_at_.try_emplace(key_of(name, native), in.metric.size());
    if (fresh) {
        in.metric.emplace_back().label = std::move(native);
    }
    return in.metric[at->second];
}

void merged_samples::counter(std::string_view name, std::string_view help, const labels& of,
                             double value) {
    series(name, help, MetricType::Counter, of).counter.value += value;
}

void merged_samples::gauge(std::string_view name, std::string_view help, const labels& of,
                           double value) {
    series(name, help, MetricType::Gauge, of).gauge.value += value;
}

void merged_samples::histogram(std::string_view name, std::string_view help,
                               const std::vector<double>& bounds, const labels& of,
                               std::span<const std::uint64_t> counts, double sum) {
    assert(counts.size() == bounds.size() + 1);
    auto& into = series(name, help, MetricType::Histogram, of).histogram;
    if (into.bucket.empty()) {
        for (const double bound : bounds) {
            into.bucket.push_back({0, bound});
        }
        into.bucket.push_back({0, std::numeric_limits<double>::infinity()});
    }
    assert(into.bucket.size() == counts.size() && "a family has one set of bounds");
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        below += counts[i];
        into.bucket[i].cumulative_count += below;
    }
    into.sample_count += below;
    into.sample_sum += sum;
}

} // namespace relais::metrics
