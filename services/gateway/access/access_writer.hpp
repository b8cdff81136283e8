#pragma once

#include "gateway/access/access_events.hpp"
#include "gateway/access/access_line.hpp"
#include "gateway/access/access_names.hpp"
#include "gateway/access/access_ring.hpp"
#include "gateway/access/access_settings.hpp"
#include "gateway/access/doorbell.hpp"
#include "gateway/access/recent_requests.hpp"
#include "gateway/access/sampling.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace relais::gateway {

/// What comes of the requests' records: lines of the log and access events. Owns a ring per loop
/// and one thread that empties them, at least every 50 ms, sooner when one is a quarter full. The
/// thread has a producer and an io_context of its own (a kafka::producer belongs to one loop), so
/// the broker costs neither the loops nor the control thread anything.
///
/// The loops never wait for it. What cannot be kept is dropped and counted in
/// gateway_access_dropped_total{cause}: ring_full (the thread is too slow), log (nobody reads the
/// log, or its disc is full), broker, budget (too many events in a second), stopped (left over when
/// the time to stop was over). Lines that are lost by any of these count in log_dropped_total, too.
class access_writer {
public:
    /// `names` must outlive this. Throws when the system or librdkafka refuses what it needs.
    access_writer(access_settings settings, std::size_t loops, const access_names& names,
                  metrics::registry& metrics, log::logger logger);

    /// Stops without a delay; the loops must have ended.
    ~access_writer();
    access_writer(const access_writer&) = delete;
    access_writer& operator=(const access_writer&) = delete;

    /// Where loop number `loop` pushes its records: before start() too, until stop().
    access_ring& ring(std::size_t loop) {
        return *rings_[loop];
    }

    /// What went through lately; from any thread.
    const recent_requests& recent() const {
        return recent_;
    }

    /// Starts the thread; once.
    void start();

    /// Writes and sends what is left, but for at most so long, and ends the thread. On any loop's
    /// thread but the writer's, when nothing is pushed any more; waits without blocking the loop.
    boost::asio::awaitable<void> stop(std::chrono::milliseconds at_most);

private:
    using steady = std::chrono::steady_clock;

    void run();
    bool turn();
    void rest();
    void finish();
    void take(const access_record& record);
    void add_line(const access_record& record);
    std::size_t offer_lines(std::chrono::milliseconds wait_at_most);
    void count_full_rings();
    void count_lost_records(const metrics::counter& cause, std::uint64_t count);
    void give_up();
    void watch_bell();
    bool must_hurry() const;
    void ask_to_stop(std::chrono::milliseconds at_most);

    doorbell bell_;
    access_settings settings_;
    log::logger logger_;
    sampling sampling_;
    access_lines lines_;
    recent_requests recent_;
    metrics::counter dropped_by_ring_;
    metrics::counter dropped_by_log_;
    metrics::counter dropped_by_stop_;
    boost::asio::io_context loop_{1}; ///< of the thread
    boost::asio::posix::stream_descriptor bell_watch_;
    std::vector<std::unique_ptr<access_ring>> rings_; ///< rings do not move
    std::uint64_t full_counted_ = 0;                  ///< of the rings' drops
    std::optional<access_events> events_;
    std::string block_;        ///< lines for the log
    std::size_t offered_ = 0;  ///< of them, this is with the log
    bool log_is_full_ = false; ///< it took nothing in this turn
    std::atomic<bool> stopping_{false};
    std::atomic<steady::time_point> stop_until_{};
    std::atomic<bool> finished_{false};
    std::thread thread_;
};

} // namespace relais::gateway
