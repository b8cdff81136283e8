#pragma once

#include "clock/clock.hpp"
#include "gateway/loop/reactor.hpp"
#include "gateway/loop/read_buffer.hpp"
#include "gateway/loop/timer_wheel.hpp"
#include "gateway/loop/turn_end.hpp"
#include "ids/uuid.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace relais::gateway {

/// One thread that serves its share of the clients and shares nothing with the others: whatever
/// belongs to a connection is used on its loop's thread only. Others hand over work by post().
class edge_loop {
public:
    explicit edge_loop(const clock& time);
    ~edge_loop();
    edge_loop(const edge_loop&) = delete;
    edge_loop& operator=(const edge_loop&) = delete;

    void start();
    /// Returns when the thread ended; what is posted later is not run.
    void stop();
    /// One turn on the caller's thread, while the loop's own does not run: whatever can go on
    /// without waiting. After stop(): lets what is left end.
    void turn_once();

    /// What the thread has had of a processor since it started: how busy the loop is. For the
    /// thread that starts and stops the loop; asks the kernel.
    std::chrono::nanoseconds cpu_time() const;

    /// From any thread.
    template <class Work>
    void post(Work work) {
        const std::scoped_lock lock(mutex_);
        posted_.emplace_back(std::move(work));
        if (!has_posted_.exchange(true)) {
            sockets_.wake();
        }
    }

    reactor& sockets() {
        return sockets_;
    }

    timer_wheel& timers() {
        return timers_;
    }

    turn_end& turn() {
        return turn_;
    }

    block_pool& blocks() {
        return blocks_;
    }

    const clock& time() const {
        return time_;
    }

    /// When this turn began: near enough for deadlines and durations, and costs nothing.
    std::chrono::steady_clock::time_point now() const {
        return sockets_.woke_at();
    }

    /// `Mon, 23 Nov 2026 06:46:44 GMT`, made once a second.
    const std::string& http_date();

    /// A UUID of version 7 for something that happens now: this loop's ascend, without a lock.
    uuid make_id(timestamp now);

    /// Cheap randomness, for choices that are no secrets (xoshiro256++, Blackman and Vigna).
    std::uint64_t random();

    /// Destroys something later, when nothing on the stack uses it any more.
    template <class Thing>
    void bury(std::unique_ptr<Thing> thing) {
        graves_.push_back({thing.release(), [](void* what) {
                               delete static_cast<Thing*>(what);
                           }});
    }

private:
    struct grave {
        void* what;
        void (*destroy)(void*);
    };

    void turn(std::chrono::milliseconds wait_at_most);
    std::chrono::milliseconds patience() const;
    void run_posted();
    void empty_graves();

    const clock& time_;
    reactor sockets_;
    timer_wheel timers_;
    turn_end turn_;
    block_pool blocks_;
    std::vector<grave> graves_;
    std::string http_date_;
    std::chrono::seconds date_of_{-1};
    std::array<std::uint64_t, 4> random_state_{};
    std::mutex mutex_; // whoever posts, and the loop
    std::vector<std::move_only_function<void()>> posted_;
    std::vector<std::move_only_function<void()>> running_; ///< posted, being run
    std::atomic<bool> has_posted_{false};
    std::atomic<bool> stopping_{false};
    std::chrono::sys_time<std::chrono::milliseconds> last_id_{};
    std::uint16_t ids_ = 0; ///< in that millisecond
    std::thread thread_;
    clockid_t cpu_clock_ = 0;             ///< of the thread
    std::chrono::nanoseconds cpu_time_{}; ///< of a thread that has ended
};

} // namespace relais::gateway
