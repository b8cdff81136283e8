#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace relais::mailing_list_sync {

/// How urgent a call is. Opt-outs and erasures may use the whole rate, the rest leaves them a
/// fifth.
enum class urgency { opt_out, sign_up, edit };

/// Keeps calls of one family of endpoints under the provider's rate: a token bucket of our own,
/// corrected by what the provider says in its headers. Pure: the caller brings the time.
class rate_limit {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// `calls` per `period`.
    rate_limit(double calls, std::chrono::milliseconds period, time_point now);

    /// Zero: go (a token is taken). Otherwise how long to wait before asking again.
    std::chrono::milliseconds take(urgency who, time_point now);

    /// From x-sib-ratelimit-remaining and -reset.
    void provider_says(std::int64_t remaining, std::chrono::milliseconds reset, time_point now);

    /// A 429: nothing goes before `wait` has passed, and the own rate is halved; it recovers by a
    /// tenth of the full rate with each further period without one.
    void refused(std::chrono::milliseconds wait, time_point now);

private:
    void refill(time_point now);

    double full_rate_; ///< tokens per millisecond
    double rate_;
    double capacity_;
    double tokens_;
    std::chrono::milliseconds period_;
    time_point filled_at_;
    time_point raised_at_;
    time_point closed_until_;
};

} // namespace relais::mailing_list_sync
