#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace relais::gateway {

/// Chooses an instance of a service: power of two choices by requests in flight among the healthy
/// ones. An instance is unhealthy while its /readyz says no, and for a short time after a
/// connection to it failed; when none is healthy all are tried (better a refused request than a
/// refused service). Pure: the caller brings time and randomness.
class balancer {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit balancer(std::size_t instances);

    /// An index, avoiding `not_this` where there is another choice.
    std::size_t choose(time_point now, std::uint64_t random,
                       std::optional<std::size_t> not_this = std::nullopt) const;

    void begin(std::size_t instance);
    void end(std::size_t instance);

    void report_ready(std::size_t instance, bool ready);
    void report_connect_failure(std::size_t instance, time_point now);
    void report_success(std::size_t instance);

    bool is_healthy(std::size_t instance, time_point now) const;
    std::size_t healthy_count(time_point now) const;
    std::size_t size() const;

private:
    struct state {
        std::size_t in_flight = 0;
        bool ready = true;
        time_point ejected_until{};
    };

    std::vector<state> instances_;
};

} // namespace relais::gateway
