#include "metrics/registry.hpp"

#include "metrics/samples.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cassert>
#include <mutex>

namespace relais::metrics {

namespace detail {

struct registry_state {
    prometheus::Registry families;
    std::mutex mutex;
    std::map<std::string, prometheus::Family<prometheus::Counter>*, std::less<>> counters;
    std::map<std::string, prometheus::Family<prometheus::Gauge>*, std::less<>> gauges;
    std::map<std::string, prometheus::Family<prometheus::Histogram>*, std::less<>> histograms;
    std::mutex sources_mutex; ///< held while they are asked
    std::vector<const collectable*> sources;
};

} // namespace detail

namespace {

template <class Family, class Build>
Family& family_of(std::map<std::string, Family*, std::less<>>& known, std::string_view name,
                  std::string_view help, const Build& build) {
    // A newline in a help text breaks the whole scrape: prometheus-cpp does not escape it.
    assert(help.find('\n') == std::string_view::npos);
    const auto found = known.find(name);
    if (found != known.end()) {
        return *found->second;
    }
    Family& made = build(std::string(name), std::string(help));
    known.emplace(name, &made);
    return made;
}

} // namespace

const std::vector<double>& request_seconds() {
    static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1,
                                            0.25,  0.5,    0.75,  1,    2.5,   5,    7.5,   10};
    return bounds;
}

const std::vector<double>& delivery_seconds() {
    static const std::vector<double> bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                            1,     2,    5,     15,   60,  300,  900};
    return bounds;
}

void counter::increment(double by) const {
    if (series_ != nullptr) {
        static_cast<prometheus::Counter*>(series_)->Increment(by);
    }
}

double counter::value() const {
    return series_ == nullptr ? 0 : static_cast<prometheus::Counter*>(series_)->Value();
}

void gauge::set(double value) const {
    if (series_ != nullptr) {
        static_cast<prometheus::Gauge*>(series_)->Set(value);
    }
}

void gauge::add(double by) const {
    if (series_ != nullptr) {
        static_cast<prometheus::Gauge*>(series_)->Increment(by);
    }
}

double gauge::value() const {
    return series_ == nullptr ? 0 : static_cast<prometheus::Gauge*>(series_)->Value();
}

void histogram::observe(double value) const {
    if (series_ != nullptr) {
        static_cast<prometheus::Histogram*>(series_)->Observe(value);
    }
}

registry::registry() : state_(std::make_unique<detail::registry_state>()) {}

registry::~registry() = default;

counter registry::counter(std::string_view name, std::string_view help, const labels& labels) {
    const std::lock_guard lock(state_->mutex);
    auto& family =
        family_of(state_->counters, name, help, [&](auto&& full_name, auto&& text) -> auto& {
            return prometheus::BuildCounter().Name(full_name).Help(text).Register(state_->families);
        });
    return metrics::counter(&family.Add(labels));
}

gauge registry::gauge(std::string_view name, std::string_view help, const labels& labels) {
    const std::lock_guard lock(state_->mutex);
    auto& family =
        family_of(state_->gauges, name, help, [&](auto&& full_name, auto&& text) -> auto& {
            return prometheus::BuildGauge().Name(full_name).Help(text).Register(state_->families);
        });
    return metrics::gauge(&family.Add(labels));
}

histogram registry::histogram(std::string_view name, std::string_view help,
                              const std::vector<double>& bounds, const labels& labels) {
    const std::lock_guard lock(state_->mutex);
    auto& family =
        family_of(state_->histograms, name, help, [&](auto&& full_name, auto&& text) -> auto& {
            return prometheus::BuildHistogram().Name(full_name).Help(text).Register(
                state_->families);
        });
    return metrics::histogram(&family.Add(labels, bounds));
}

void registry::add(const collectable& source) {
    const std::lock_guard lock(state_->sources_mutex);
    state_->sources.push_back(&source);
}

void registry::remove(const collectable& source) {
    const std::lock_guard lock(state_->sources_mutex);
    std::erase(state_->sources, &source);
}

std::string registry::serialize() const {
    auto families = state_->families.Collect();
    {
        const std::lock_guard lock(state_->sources_mutex);
        if (!state_->sources.empty()) {
            merged_samples merged(families);
            for (const auto* source : state_->sources) {
                source->collect(merged);
            }
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

} // namespace relais::metrics
