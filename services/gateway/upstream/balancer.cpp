#include "gateway/upstream/balancer.hpp"

#include <algorithm>
#include <cmath>

namespace relais::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Until anybody has answered; then those who have not are taken to be like the others.
constexpr double first_latency_ns = 30e6;
/// A peak of a second is down to a millisecond after 20 seconds: long enough to keep away from what
/// is slow, with a request now and then to see whether it still is.
constexpr double forget_ns = 3e9;
/// How much one answer moves what is typical of the service.
constexpr double typical_step = 1.0 / 64;
/// So many bytes under way weigh as much as one request.
constexpr double bytes_per_request = 256.0 * 1024;

constexpr seconds slow_start{10};
constexpr double slow_start_share_min = 0.1;

/// Short: the health checks, two a second, are what brings an instance back.
constexpr milliseconds ejection_by_connect{1'000};
constexpr milliseconds ejection_by_failures{5'000};
constexpr unsigned failures_in_a_row = 5;
constexpr unsigned ejection_steps_max = 6;

/// The part of a latency that still counts.
double kept_since(balancer::time_point measured, balancer::time_point now) {
    const auto since = std::chrono::duration<double, std::nano>(now - measured).count();
    return std::exp(-std::max(since, 0.0) / forget_ns);
}

} // namespace

void balancer::add(std::size_t instance, bool ready) {
    if (instance >= instances_.size()) {
        instances_.resize(instance + 1);
    }
    auto& place = instances_[instance];
    state fresh;
    fresh.active = true;
    fresh.ready = ready;
    fresh.in_flight = place.in_flight; // of one that had this place before
    fresh.bytes_in_flight = place.bytes_in_flight;
    place = fresh;
    refresh_at_ = {};
}

void balancer::remove(std::size_t instance) {
    instances_[instance].active = false;
    refresh_at_ = {};
}

/// Readiness counts first; when too few of the ready ones are left, ejections do not count.
void balancer::refresh(time_point now) {
    candidates_.clear();
    refresh_at_ = time_point::max();
    std::size_t ready = 0;
    for (std::size_t i = 0; i < instances_.size(); ++i) {
        const auto& each = instances_[i];
        if (!each.active || !each.ready) {
            continue;
        }
        ++ready;
        if (each.ejected_until > now) {
            refresh_at_ = std::min(refresh_at_, each.ejected_until);
        } else {
            candidates_.push_back(i);
        }
    }
    usable_ = candidates_.size();
    if (candidates_.size() * 2 >= ready && ready > 0) {
        return;
    }
    candidates_.clear();
    for (std::size_t i = 0; i < instances_.size(); ++i) {
        if (instances_[i].active && (instances_[i].ready || ready == 0)) {
            candidates_.push_back(i);
        }
    }
}

std::size_t balancer::choose(time_point now, std::uint64_t random,
                             std::span<const std::size_t> not_these) {
    if (now >= refresh_at_) {
        refresh(now);
    }
    const auto count = candidates_.size();
    if (count == 0) {
        return none;
    }
    const auto allowed = [&](std::size_t from) {
        for (std::size_t step = 0; step < count; ++step) {
            const auto which = candidates_[(from + step) % count];
            if (std::ranges::find(not_these, which) == not_these.end()) {
                return which;
            }
        }
        return candidates_[from % count];
    };
    const auto first = allowed(random % count);
    if (count == 1) {
        return first;
    }
    // Two different ones: the second lies at one of the other places.
    const auto second = allowed((random % count) + 1 + ((random >> 32) % (count - 1)));
    return load(instances_[second], now) < load(instances_[first], now) ? second : first;
}

double balancer::load(const state& each, time_point now) const {
    const double latency = each.measured == time_point{}
                               ? (typical_ns_ > 0 ? typical_ns_ : first_latency_ns)
                               : each.latency_ns * kept_since(each.measured, now);
    const double waiting = static_cast<double>(each.in_flight) + 1 +
                           static_cast<double>(each.bytes_in_flight) / bytes_per_request;
    double share = 1;
    if (each.ready_since != time_point{} && now < each.ready_since + slow_start) {
        const auto passed = std::chrono::duration<double>(now - each.ready_since).count();
        share = std::max(slow_start_share_min,
                         passed / std::chrono::duration<double>(slow_start).count());
    }
    return (latency + 1) * waiting / share;
}

void balancer::begin(std::size_t instance) {
    ++instances_[instance].in_flight;
}

void balancer::end(std::size_t instance) {
    --instances_[instance].in_flight;
}

void balancer::add_bytes(std::size_t instance, std::int64_t bytes) {
    instances_[instance].bytes_in_flight += bytes;
}

void balancer::report_ready(std::size_t instance, bool ready, time_point now) {
    auto& which = instances_[instance];
    if (which.ready == ready) {
        return;
    }
    which.ready = ready;
    if (ready) {
        // It may be another process at the same address: what was known of the last one is void.
        which.ready_since = now;
        which.ejected_until = {};
        which.failures = which.ejections = 0;
        which.measured = {};
    }
    refresh_at_ = {};
}

bool balancer::may_eject(time_point now) const {
    std::size_t ready = 0;
    std::size_t ejected = 0;
    for (const auto& each : instances_) {
        if (each.active && each.ready) {
            ++ready;
            ejected += each.ejected_until > now ? 1 : 0;
        }
    }
    return (ejected + 1) * 2 <= ready;
}

void balancer::eject(state& which, milliseconds how_long, time_point now) {
    if (which.ejected_until > now || may_eject(now)) {
        which.ejected_until = std::max(which.ejected_until, now + how_long);
        refresh_at_ = {};
    }
}

void balancer::report_connect_failure(std::size_t instance, time_point now) {
    eject(instances_[instance], ejection_by_connect, now);
}

void balancer::report_failure(std::size_t instance, time_point now) {
    auto& which = instances_[instance];
    if (++which.failures >= failures_in_a_row) {
        which.failures = 0;
        which.ejections = std::min(which.ejections + 1, ejection_steps_max);
        eject(which, ejection_by_failures * which.ejections, now);
    }
}

void balancer::report_success(std::size_t instance, std::chrono::nanoseconds took, time_point now) {
    auto& which = instances_[instance];
    which.failures = 0;
    const auto sample = static_cast<double>(took.count());
    if (which.measured == time_point{} || sample > which.latency_ns) {
        which.latency_ns = sample;
    } else {
        const double keep = kept_since(which.measured, now);
        which.latency_ns = which.latency_ns * keep + sample * (1 - keep);
    }
    which.measured = now;
    typical_ns_ += (sample - typical_ns_) * (typical_ns_ > 0 ? typical_step : 1);
}

void balancer::report_waiting(std::size_t instance, std::chrono::nanoseconds so_far,
                              time_point now) {
    auto& which = instances_[instance];
    const auto at_least = static_cast<double>(so_far.count());
    if (at_least > which.latency_ns * kept_since(which.measured, now)) {
        which.latency_ns = at_least;
        which.measured = now;
    }
}

balancer::view balancer::look(std::size_t instance, time_point now) const {
    const auto& each = instances_[instance];
    return {each.active,
            each.ready,
            each.ejected_until > now,
            each.in_flight,
            each.bytes_in_flight,
            std::chrono::nanoseconds(static_cast<std::int64_t>(each.latency_ns))};
}

std::size_t balancer::ready_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        instances_, [](const state& each) { return each.active && each.ready; }));
}

std::size_t balancer::usable_count(time_point now) {
    if (now >= refresh_at_) {
        refresh(now);
    }
    return usable_;
}

} // namespace relais::gateway
