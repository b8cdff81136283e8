#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace relais::gateway {

/// Chooses an instance of a service, from what this event loop knows of them.
///
/// Power of two choices (Mitzenmacher) by the load each has: what it takes to answer (a moving
/// average that follows peaks at once and forgets them slowly, "peak EWMA") times what it has in
/// flight, where bytes count as well as requests, so that an instance with many uploads gets fewer
/// calls. An instance that has just become ready again begins with a tenth of its share (slow
/// start). One that fails again and again is left out for a while (ejection), but never more than
/// half of those that are ready; when none is ready all are tried: better a refused request than a
/// refused service.
///
/// Pure: the caller brings time and randomness. Choosing costs the same for two instances and for
/// two hundred.
class balancer {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr std::size_t none = SIZE_MAX;

    /// An instance at this index takes part from now on. `ready`: until somebody says otherwise.
    void add(std::size_t instance, bool ready);
    void remove(std::size_t instance);

    /// An index, none of `not_these` where there is another choice; none: there is no instance.
    std::size_t choose(time_point now, std::uint64_t random,
                       std::span<const std::size_t> not_these = {});

    void begin(std::size_t instance);
    void end(std::size_t instance);
    /// Bytes of bodies that are on their way to or from it; the same amount comes off again.
    void add_bytes(std::size_t instance, std::int64_t bytes);

    void report_ready(std::size_t instance, bool ready, time_point now);
    /// It cannot be connected to: left out at once, for a moment (health checks bring it back).
    void report_connect_failure(std::size_t instance, time_point now);
    /// It answered 502, 503, 504 or broke off.
    void report_failure(std::size_t instance, time_point now);
    void report_success(std::size_t instance, std::chrono::nanoseconds took, time_point now);
    /// A request has waited so long and has no answer yet: it takes at least that. Without this an
    /// instance that never answers would look faster and faster.
    void report_waiting(std::size_t instance, std::chrono::nanoseconds so_far, time_point now);

    struct view {
        bool active = false;
        bool ready = false;
        bool ejected = false;
        std::size_t in_flight = 0;
        std::int64_t bytes_in_flight = 0;
        std::chrono::nanoseconds latency{}; ///< the moving average
    };

    view look(std::size_t instance, time_point now) const;
    std::size_t ready_count() const;
    /// Ready and not left out.
    std::size_t usable_count(time_point now);

    std::size_t size() const {
        return instances_.size();
    }

private:
    struct state {
        bool active = false;
        bool ready = false;
        std::size_t in_flight = 0;
        std::int64_t bytes_in_flight = 0;
        double latency_ns = 0;
        time_point measured{};
        time_point ready_since{}; ///< of a slow start
        time_point ejected_until{};
        unsigned failures = 0; ///< in a row
        unsigned ejections = 0;
    };

    double load(const state& each, time_point now) const;
    void eject(state& which, std::chrono::milliseconds how_long, time_point now);
    bool may_eject(time_point now) const;
    void refresh(time_point now);

    std::vector<state> instances_;
    std::vector<std::size_t> candidates_;
    std::size_t usable_ = 0;
    double typical_ns_ = 0;   ///< of all instances
    time_point refresh_at_{}; ///< when the candidates change by themselves
};

} // namespace relais::gateway
