#pragma once

#include <chrono>
#include <mutex>

namespace relais::pg {

/// Keeps a dead server from eating the threads: after a failed connect nobody tries for a moment,
/// then one at a time, until one succeeds. Whoever may not try fails at once; so does every request
/// meanwhile (`failing`), because a try that gets no answer takes its time. Thread-safe.
class outage_gate {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit outage_gate(std::chrono::milliseconds pause) : pause_(pause) {}

    /// True: connect now, then tell succeeded() or failed() in any case.
    bool may_try(time_point now);
    /// True when this is a change: the first success (failure) after failures (successes), or at
    /// all.
    bool succeeded();
    bool failed(time_point now);

    /// Whether the last attempt succeeded. False before the first one.
    bool reachable() const;
    /// Whether it failed; unlike reachable() this is false before the first attempt.
    bool failing() const;

private:
    const std::chrono::milliseconds pause_;
    mutable std::mutex mutex_;
    bool reachable_ = false;
    bool failing_ = false;
    bool probing_ = false;
    time_point next_try_{};
};

} // namespace relais::pg
