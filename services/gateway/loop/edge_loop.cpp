#include "gateway/loop/edge_loop.hpp"

#include "clock/rfc3339.hpp"
#include "ids/random.hpp"

#include <bit>
#include <cassert>
#include <ctime>
#include <pthread.h>

namespace relais::gateway {

edge_loop::edge_loop(const clock& time) : time_(time) {
    random_bytes({reinterpret_cast<std::uint8_t*>(random_state_.data()), sizeof random_state_});
}

edge_loop::~edge_loop() {
    stop();
}

void edge_loop::start() {
    thread_ = std::thread([this] {
        while (!stopping_.load(std::memory_order_relaxed)) {
            turn(patience());
        }
    });
    [[maybe_unused]] const int known =
        ::pthread_getcpuclockid(thread_.native_handle(), &cpu_clock_);
    assert(known == 0); // it is there and may be asked about
}

void edge_loop::stop() {
    if (thread_.joinable()) {
        stopping_ = true;
        cpu_time_ = cpu_time();
        sockets_.wake();
        thread_.join();
    }
}

std::chrono::nanoseconds edge_loop::cpu_time() const {
    timespec used{};
    const bool runs = thread_.joinable() && ::clock_gettime(cpu_clock_, &used) == 0;
    return runs ? std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec)
                : cpu_time_;
}

void edge_loop::turn_once() {
    turn(std::chrono::milliseconds(0));
}

/// How long the loop may sleep; negative: until something happens.
std::chrono::milliseconds edge_loop::patience() const {
    const bool busy = has_posted_.load(std::memory_order_relaxed) || turn_.has_work();
    return busy ? std::chrono::milliseconds(0) : timers_.until_next();
}

void edge_loop::turn(std::chrono::milliseconds wait_at_most) {
    sockets_.run(wait_at_most);
    timers_.run_due();
    run_posted();
    turn_.run();
    empty_graves();
}

void edge_loop::run_posted() {
    if (!has_posted_.load(std::memory_order_relaxed)) {
        return;
    }
    {
        const std::scoped_lock lock(mutex_);
        has_posted_ = false;
        running_.swap(posted_);
    }
    for (auto& each : running_) {
        each();
    }
    running_.clear();
}

const std::string& edge_loop::http_date() {
    const auto now = time_.now();
    const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
    if (second != date_of_) {
        date_of_ = second;
        http_date_ = to_http_date(now);
    }
    return http_date_;
}

uuid edge_loop::make_id(timestamp now) {
    std::uint64_t chance = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&chance), sizeof chance});
    const auto millisecond = std::chrono::floor<std::chrono::milliseconds>(now);
    if (millisecond > last_id_) {
        last_id_ = millisecond;
        ids_ = static_cast<std::uint16_t>(chance & 0x07ffU); // leaves room to count up
    } else if (++ids_ > 0x0fffU) {
        last_id_ += std::chrono::milliseconds(1); // from the future, as RFC 9562 §6.2 allows
        ids_ = 0;
    }
    return make_uuid_v7(last_id_, ids_, chance);
}

std::uint64_t edge_loop::random() {
    auto& s = random_state_;
    const auto out = std::rotl(s[0] + s[3], 23) + s[0];
    const auto t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return out;
}

void edge_loop::empty_graves() {
    // What is destroyed may bury more.
    while (!graves_.empty()) {
        const auto last = graves_.back();
        graves_.pop_back();
        last.destroy(last.what);
    }
}

} // namespace relais::gateway
