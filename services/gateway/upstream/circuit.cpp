#include "gateway/upstream/circuit.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::uint32_t requests_min = 20;
constexpr std::chrono::milliseconds first_pause{5'000};
constexpr std::chrono::milliseconds longest_pause{60'000};

std::int64_t second_of(circuit::time_point now) {
    return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

} // namespace

bool circuit::may_pass(time_point now) {
    if (state_ == state::open && now >= open_until_) {
        state_ = state::trying;
        probing_ = false;
    }
    switch (state_) {
    case state::closed:
        return true;
    case state::open:
        return false;
    case state::trying:
        break;
    }
    if (probing_) {
        return false;
    }
    probing_ = true;
    return true;
}

void circuit::report_answer(time_point now) {
    if (state_ != state::closed) {
        *this = circuit();
    }
    ++bucket_of(now).answers;
}

void circuit::report_failure(time_point now) {
    if (state_ == state::trying) {
        open(now);
        return;
    }
    ++bucket_of(now).failures;
    if (state_ == state::closed && has_failed(now)) {
        open(now);
    }
}

void circuit::forget() {
    probing_ = false;
}

void circuit::encourage() {
    if (state_ == state::open) {
        state_ = state::trying;
        probing_ = false;
    }
}

std::chrono::milliseconds circuit::remaining(time_point now) const {
    return std::chrono::ceil<std::chrono::milliseconds>(std::max(open_until_ - now, {}));
}

circuit::bucket& circuit::bucket_of(time_point now) {
    const auto second = second_of(now);
    auto& found = buckets_.at(static_cast<std::size_t>(second) % window_seconds);
    if (found.second != second) {
        found = {second, 0, 0};
    }
    return found;
}

bool circuit::has_failed(time_point now) const {
    const auto second = second_of(now);
    std::uint32_t answers = 0;
    std::uint32_t failures = 0;
    for (const auto& each : buckets_) {
        if (second - each.second < static_cast<std::int64_t>(window_seconds)) {
            answers += each.answers;
            failures += each.failures;
        }
    }
    return answers + failures >= requests_min && failures >= answers;
}

void circuit::open(time_point now) {
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    open_until_ = now + pause_;
    state_ = state::open;
    probing_ = false;
    buckets_ = {};
}

} // namespace relais::gateway
