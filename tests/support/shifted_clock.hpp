#pragma once

#include "clock/clock.hpp"

#include <atomic>

namespace relais::test {

/// The machine's clocks, of which the wall clock can be set while others read it.
class shifted_clock final : public clock {
public:
    timestamp now() const override {
        return real_.now() + shift_.load();
    }

    std::chrono::steady_clock::time_point steady_now() const override {
        return real_.steady_now();
    }

    void advance(std::chrono::seconds by) {
        shift_ = shift_.load() + by;
    }

private:
    system_clock real_;
    std::atomic<std::chrono::seconds> shift_{std::chrono::seconds(0)};
};

} // namespace relais::test
