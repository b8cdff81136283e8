#include "clock/clock.hpp"

namespace relais {

timestamp system_clock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point system_clock::steady_now() const {
    return std::chrono::steady_clock::now();
}

timestamp manual_clock::now() const {
    return now_;
}

std::chrono::steady_clock::time_point manual_clock::steady_now() const {
    return steady_now_;
}

void manual_clock::advance(std::chrono::microseconds by) {
    now_ += by;
    steady_now_ += by;
}

void manual_clock::jump(std::chrono::microseconds by) {
    now_ += by;
}

} // namespace relais
