#include "timers/retry.hpp"

#include "async/backoff.hpp"

#include <algorithm>

namespace relais::timers {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t attempts_believed = 1'000; // N⁴ s must fit milliseconds

milliseconds on_curve(const policy& rules, unsigned attempt, std::uint64_t random) {
    const auto n = std::min<std::uint64_t>(attempt, attempts_believed);
    switch (rules.curve) {
    case curve::constant:
        return rules.first;
    case curve::exponential:
        return async::backoff{rules.first, rules.longest}.wait(attempt, random);
    case curve::delayed_job:
        return std::chrono::seconds(5 + n * n * n * n);
    }
    return rules.first;
}

} // namespace

std::optional<milliseconds> policy::wait_after(int attempt, const error& failed,
                                               std::uint64_t random) const {
    if (attempt >= attempts_max || !is_retriable(failed.kind)) {
        return std::nullopt;
    }
    const auto wait = on_curve(*this, static_cast<unsigned>(std::max(attempt, 1)), random);
    return std::min(std::max(wait, failed.retry_after.value_or(milliseconds(0))), longest);
}

} // namespace relais::timers
