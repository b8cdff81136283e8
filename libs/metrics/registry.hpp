#pragma once

#include "metrics/collectable.hpp"

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relais::metrics {

namespace detail {
struct registry_state;
}

/// Handles to one time series. Cheap to copy, cheap to use (tens of nanoseconds), valid as long as
/// the registry lives. Get them once, at start-up: looking one up costs half a microsecond.
/// A default-made handle counts nothing. Thread-safe.
class counter {
public:
    counter() = default;
    void increment(double by = 1) const;
    double value() const;

private:
    friend class registry;

    explicit counter(void* series) : series_(series) {}

    void* series_ = nullptr;
};

class gauge {
public:
    gauge() = default;
    void set(double value) const;
    void add(double by) const;
    double value() const;

private:
    friend class registry;

    explicit gauge(void* series) : series_(series) {}

    void* series_ = nullptr;
};

class histogram {
public:
    histogram() = default;
    /// In base units: seconds, bytes.
    void observe(double value) const;

private:
    friend class registry;

    explicit histogram(void* series) : series_(series) {}

    void* series_ = nullptr;
};

/// Bucket bounds in seconds for requests (OpenTelemetry's HTTP set) and for work that goes through
/// a queue or to a provider.
const std::vector<double>& request_seconds();
const std::vector<double>& delivery_seconds();

/// All metrics of a process. Names follow Prometheus' rules: base units, `_total` on counters,
/// timestamps instead of ages. Help texts are one line. Asking twice for the same series gives the
/// same series. Series appear with 0, so that ratios are never empty. Thread-safe.
class registry {
public:
    registry();
    ~registry();
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;

    metrics::counter counter(std::string_view name, std::string_view help, const labels& = {});
    metrics::gauge gauge(std::string_view name, std::string_view help, const labels& = {});
    metrics::histogram histogram(std::string_view name, std::string_view help,
                                 const std::vector<double>& bounds, const labels& = {});

    /// From now on the page has this one's figures, too. It is asked on the thread that calls
    /// serialize(), and must be removed before it dies; remove() waits for a page that is made.
    void add(const collectable& source);
    void remove(const collectable& source);

    /// The page that Prometheus scrapes (text format 0.0.4), without reading anything slow.
    std::string serialize() const;

private:
    std::unique_ptr<detail::registry_state> state_;
};

/// Adds `process_*` (CPU, memory, file descriptors, threads, start time) and `build_info` to a
/// registry; call update() before each scrape.
class process_metrics {
public:
    process_metrics(registry& metrics, std::string_view service, std::string_view version);
    void update();

private:
    gauge cpu_seconds_;
    gauge resident_bytes_;
    gauge open_files_;
    gauge max_files_;
    gauge threads_;
    gauge wall_clock_;
};

} // namespace relais::metrics
