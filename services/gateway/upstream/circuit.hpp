#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relais::gateway {

/// Keeps requests from waiting for a service that does not answer: when at least half of the
/// requests of ten seconds, and no fewer than twenty, got no usable answer, it opens, and requests
/// are refused at once. After a pause (5 s, twice as long each time, at most 60 s), or when an
/// instance says that it is ready, one request may try; its answer closes the circuit, its failure
/// opens it again. An answer is an answer, whatever its status. Pure; the caller brings the time.
class circuit {
public:
    using time_point = std::chrono::steady_clock::time_point;

    enum class state : std::uint8_t { closed, open, trying };

    /// Whether a request may go. One that may reports how it ended; forget() if nobody will know.
    bool may_pass(time_point now);
    void report_answer(time_point now);
    void report_failure(time_point now);
    void forget();

    /// An instance has become ready: worth a try at once.
    void encourage();

    state current() const {
        return state_;
    }

    /// Until requests may go again; for Retry-After.
    std::chrono::milliseconds remaining(time_point now) const;

private:
    /// Of one second.
    struct bucket {
        std::int64_t second = -1;
        std::uint32_t answers = 0;
        std::uint32_t failures = 0;
    };

    bucket& bucket_of(time_point now);
    bool has_failed(time_point now) const;
    void open(time_point now);

    static constexpr std::size_t window_seconds = 10;

    std::array<bucket, window_seconds> buckets_{};
    time_point open_until_{};
    std::chrono::milliseconds pause_{0};
    state state_ = state::closed;
    bool probing_ = false; ///< the one request that tries is under way
};

} // namespace relais::gateway
