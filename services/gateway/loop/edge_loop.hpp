#pragma once

#include "clock/clock.hpp"
#include "gateway/loop/read_buffer.hpp"
#include "gateway/loop/timer_wheel.hpp"
#include "gateway/loop/turn_end.hpp"
#include "ids/uuid.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <cstdint>
#include <memory>
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
    /// After stop(), when everything on the loop is closed: runs what that completed.
    void run_rest();

    /// From any thread.
    template <class Work>
    void post(Work work) {
        boost::asio::post(io_, std::move(work));
    }

    boost::asio::io_context& io() {
        return io_;
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
        if (graves_.size() == 1) {
            boost::asio::post(io_, [this] { empty_graves(); });
        }
    }

private:
    struct grave {
        void* what;
        void (*destroy)(void*);
    };

    void empty_graves();

    const clock& time_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    timer_wheel timers_;
    turn_end turn_;
    block_pool blocks_;
    std::vector<grave> graves_;
    std::string http_date_;
    std::chrono::seconds date_of_{-1};
    std::array<std::uint64_t, 4> random_state_{};
    std::chrono::sys_time<std::chrono::milliseconds> last_id_{};
    std::uint16_t ids_ = 0; ///< in that millisecond
    std::thread thread_;
};

} // namespace relais::gateway
