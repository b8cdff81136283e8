#include "gateway/limits/gcra.hpp"

#include <algorithm>
#include <limits>

namespace relais::gateway {
namespace {

using std::chrono::nanoseconds;

constexpr auto highest = std::numeric_limits<std::int64_t>::max();
constexpr std::chrono::seconds window_max = std::chrono::days(31);
constexpr nanoseconds capacity_max = std::chrono::days(100);

/// For a >= 0; nanoseconds::max() when it does not fit.
nanoseconds times(nanoseconds a, std::uint64_t b) {
    std::int64_t product = 0;
    return nanoseconds(__builtin_mul_overflow(a.count(), b, &product) ? highest : product);
}

nanoseconds plus(nanoseconds a, nanoseconds b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.count(), b.count(), &sum)) {
        return b.count() > 0 ? nanoseconds::max() : nanoseconds::min();
    }
    return nanoseconds(sum);
}

/// How far a lies behind b, at least 0.
nanoseconds ahead(nanoseconds a, nanoseconds b) {
    std::int64_t difference = 0;
    if (a <= b) {
        return nanoseconds::zero();
    }
    return nanoseconds(__builtin_sub_overflow(a.count(), b.count(), &difference) ? highest
                                                                                 : difference);
}

auto invalid(std::string_view what) {
    return fail(error_kind::invalid, "invalid-rate", std::string(what));
}

} // namespace

result<rate> rate::make(std::uint64_t count, std::chrono::seconds window, std::uint64_t burst) {
    if (count == 0 || burst == 0 || window.count() <= 0) {
        return invalid("count, window and burst are at least 1");
    }
    if (window > window_max) {
        return invalid("the window is at most 31 days");
    }
    const auto window_ns = static_cast<std::uint64_t>(nanoseconds(window).count());
    if (count > window_ns) {
        return invalid("at most one unit a nanosecond");
    }
    rate made;
    made.count_ = count;
    made.window_ = window;
    made.burst_ = burst;
    made.emission_ = nanoseconds((window_ns + count - 1) / count);
    made.capacity_ = times(made.emission_, burst);
    if (made.capacity_ > capacity_max) {
        return invalid("filling the burst takes at most 100 days");
    }
    return made;
}

gcra_step gcra_take(const rate& allowed, nanoseconds tat, nanoseconds now, std::uint64_t cost) {
    const auto emission = allowed.emission();
    const auto capacity = allowed.capacity();
    const auto stored = ahead(tat, now);
    auto debt = std::min(stored, capacity);
    const auto room = capacity - debt;
    const auto price = times(emission, cost);

    gcra_step step{.decision = {}, .tat = tat};
    auto& said = step.decision;
    said.allowed = price <= room;
    if (cost > 0 && said.allowed) {
        debt += price;
        step.tat = plus(now, debt);
    } else if (cost > 0 && stored > capacity + gcra_slack) {
        step.tat = plus(now, capacity);
    }
    if (!said.allowed) {
        said.retry_after = cost > allowed.burst() ? limit_decision::never : price - room;
    }
    said.remaining = static_cast<std::uint64_t>((capacity - debt) / emission);
    said.full_after = debt;
    if (debt > nanoseconds::zero()) {
        const auto part = debt % emission;
        said.next_after = part > nanoseconds::zero() ? part : emission;
    }
    return step;
}

} // namespace relais::gateway
