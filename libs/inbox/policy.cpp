#include "inbox/policy.hpp"

#include "async/backoff.hpp"

#include <algorithm>

namespace relais::inbox {
namespace {

using std::chrono::milliseconds;

/// Half of what parking.hpp believes of a wait.
constexpr milliseconds asked_max{std::chrono::minutes(15)};

/// 5 s + N⁴ s after N attempts: 25 of them take 20 days.
milliseconds delayed_job_wait(std::uint64_t attempts) {
    const std::uint64_t n = std::min<std::uint64_t>(attempts, 200);
    return std::chrono::seconds(5 + n * n * n * n);
}

milliseconds on_curve(const policy& rules, std::uint32_t attempts, std::uint64_t random) {
    switch (rules.curve) {
    case curve::constant:
        return rules.first;
    case curve::exponential:
        return async::backoff{rules.first, rules.longest}.wait(attempts, random);
    case curve::delayed_job:
        return delayed_job_wait(attempts);
    }
    return rules.first;
}

} // namespace

std::optional<milliseconds> policy::wait_before(std::uint32_t next, const error& failed,
                                                std::chrono::microseconds age,
                                                std::uint64_t random) const {
    if (next > attempts_max || !is_retriable(failed.kind)) {
        return std::nullopt;
    }
    const auto usual = std::min(on_curve(*this, std::max(next, 2U) - 1, random), longest);
    const auto wait =
        std::max(usual, std::min(failed.retry_after.value_or(milliseconds(0)), asked_max));
    const bool too_late = deadline > milliseconds(0) && age + wait > deadline;
    return too_late ? std::nullopt : std::optional(wait);
}

} // namespace relais::inbox
