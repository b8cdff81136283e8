#pragma once

#include <chrono>

namespace relais::rest {

struct retry_limits {
    double share = 0.2;      ///< retries for each first call
    double per_second = 1.0; ///< at least
    double reserve = 20.0;   ///< the most that is kept for later
};

/// How much may be tried again, so that a provider in trouble does not get a multiple of its usual
/// calls from us: a fifth of what is sent for the first time, and at least one a second, with a
/// reserve for bursts. What is beyond it is not given up but comes later. Pure: the caller brings
/// the time. Not thread-safe.
class retry_budget {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit retry_budget(retry_limits given) : limits_(given), left_(given.reserve) {}

    /// A first call is made.
    void earn(time_point now);

    /// A retry is wanted. Returns how much later than planned it shall come; 0 within the budget.
    /// Either way it is paid for, so that a crowd is spread out.
    std::chrono::milliseconds spend(time_point now);

    /// Retries that are left; negative: so many wait for their turn.
    double left() const {
        return left_;
    }

private:
    void refill(time_point now);

    retry_limits limits_;
    double left_;
    time_point filled_at_{};
};

} // namespace relais::rest
