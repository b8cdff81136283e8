#include "gateway/upstream/balancer.hpp"

namespace relais::gateway {
namespace {

// Short: the health checks, two a second, are what brings an instance back.
constexpr std::chrono::milliseconds ejection{1'000};

} // namespace

balancer::balancer(std::size_t instances) : instances_(instances) {}

bool balancer::is_healthy(std::size_t instance, time_point now) const {
    const auto& each = instances_[instance];
    return each.ready && now >= each.ejected_until;
}

std::size_t balancer::healthy_count(time_point now) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < instances_.size(); ++i) {
        count += is_healthy(i, now) ? 1 : 0;
    }
    return count;
}

std::size_t balancer::choose(time_point now, std::uint64_t random,
                             std::optional<std::size_t> not_this) const {
    std::vector<std::size_t> candidates;
    const bool panic = healthy_count(now) == 0;
    for (std::size_t i = 0; i < instances_.size(); ++i) {
        const bool usable = panic || is_healthy(i, now);
        if (usable && not_this != i) {
            candidates.push_back(i);
        }
    }
    if (candidates.empty()) {
        return not_this.value_or(0);
    }
    const auto first = candidates[random % candidates.size()];
    const auto second = candidates[(random >> 32) % candidates.size()];
    return instances_[second].in_flight < instances_[first].in_flight ? second : first;
}

void balancer::begin(std::size_t instance) {
    ++instances_[instance].in_flight;
}

void balancer::end(std::size_t instance) {
    --instances_[instance].in_flight;
}

void balancer::report_ready(std::size_t instance, bool ready) {
    instances_[instance].ready = ready;
}

void balancer::report_connect_failure(std::size_t instance, time_point now) {
    instances_[instance].ejected_until = now + ejection;
}

void balancer::report_success(std::size_t instance) {
    instances_[instance].ejected_until = {};
}

std::size_t balancer::size() const {
    return instances_.size();
}

} // namespace relais::gateway
