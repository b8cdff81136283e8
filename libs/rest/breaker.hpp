#pragma once

#include <chrono>

namespace relais::rest {

struct breaker_limits {
    unsigned failures_max = 5;
    std::chrono::milliseconds first_pause{1'000};
    std::chrono::milliseconds longest_pause{30'000};
};

/// Leaves a provider alone that fails. After `failures_max` calls in a row without a usable answer
/// it opens: nothing is called for a while, then one call tries; its failure opens it again for
/// twice as long, its success closes it. Pure: the caller brings the time. Not thread-safe.
class breaker {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit breaker(breaker_limits given) : limits_(given), pause_(given.first_pause) {}

    /// True: call now, then tell succeeded(), failed() or given_up() in any case.
    bool may_call(time_point now);

    void succeeded();
    void failed(time_point now);
    /// The call ended without saying anything about the provider (our own queue was full).
    void given_up();

    /// How long nothing but a try will be let through; while somebody tries, as long as the first
    /// pause.
    std::chrono::milliseconds wait(time_point now) const;

    /// Whether calls are refused, or only one is let through to try.
    bool is_open() const {
        return open_;
    }

private:
    breaker_limits limits_;
    std::chrono::milliseconds pause_;
    unsigned failures_ = 0; ///< in a row
    bool open_ = false;
    bool trying_ = false;
    time_point next_try_{};
};

} // namespace relais::rest
