#pragma once

#include "http/router.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace relais::host {

enum class phase { starting, running, draining };

/// What the admin listener answers from. Used on the loop's thread only.
class admin_state {
public:
    admin_state(metrics::registry& metrics, log::logger logger, std::string service);

    void set_phase(phase value);
    void add_check(std::string name, std::function<result<void>()> check);

    void add_routes(std::vector<http::route> routes);

    /// The checks that do not say yes, each with what it says instead: "database: not reachable".
    std::vector<std::string> failing_checks() const;

    /// GET /livez /readyz /metrics /version, PUT /log-level?level=…&minutes=…, and what was added.
    std::vector<http::route> routes();

private:
    http::response livez() const;
    http::response readyz() const;
    http::response metrics_page();
    http::response version_page() const;
    result<http::response> set_log_level(const http::request& request);
    void restore_log_level_when_due();

    metrics::registry& metrics_;
    log::logger logger_;
    std::string service_;
    metrics::process_metrics process_metrics_;
    metrics::gauge ready_;
    metrics::gauge log_dropped_;
    phase phase_ = phase::starting;
    std::vector<std::pair<std::string, std::function<result<void>()>>> checks_;
    std::vector<http::route> added_;
    log::level configured_level_;
    std::chrono::steady_clock::time_point level_until_{};
};

} // namespace relais::host
