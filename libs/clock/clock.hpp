#pragma once

#include <chrono>

namespace relais {

/// Wall-clock time with the resolution PostgreSQL keeps.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Where the time comes from. Passed in wherever a decision depends on it; the domain never reads
/// the system's clock by itself. Thread-safe.
class clock {
public:
    virtual ~clock() = default;

    virtual timestamp now() const = 0;

    /// For durations: never jumps.
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;

protected:
    clock() = default;
    clock(const clock&) = default;
    clock& operator=(const clock&) = default;
};

/// The machine's clocks.
class system_clock final : public clock {
public:
    timestamp now() const override;
    std::chrono::steady_clock::time_point steady_now() const override;
};

/// A clock that stands still until it is moved. For tests and simulators; not thread-safe.
class manual_clock final : public clock {
public:
    explicit manual_clock(timestamp start) : now_(start) {}

    timestamp now() const override;
    std::chrono::steady_clock::time_point steady_now() const override;

    /// Moves both clocks.
    void advance(std::chrono::microseconds by);

    /// Moves the wall clock only, as an administrator or NTP may do, in either direction.
    void jump(std::chrono::microseconds by);

private:
    timestamp now_;
    std::chrono::steady_clock::time_point steady_now_{};
};

} // namespace relais
