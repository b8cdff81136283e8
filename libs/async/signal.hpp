#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>

namespace relais::async {

/// Wakes coroutines of one io_context thread. A notification is not remembered: look at the
/// condition first, wait in a loop. Not thread-safe; from another thread post to the loop.
class signal {
public:
    explicit signal(boost::asio::io_context& loop);

    void notify_all();

    /// Returns after the next notify_all(). Throws operation_aborted when the waiting task is
    /// cancelled.
    boost::asio::awaitable<void> wait();

    /// As wait(), but at most this long. False when the time passed first.
    boost::asio::awaitable<bool> wait_for(std::chrono::steady_clock::duration at_most);

private:
    boost::asio::steady_timer timer_; // never expires; cancelling it is the notification
    std::uint64_t generation_ = 0;
};

/// Waits; throws operation_aborted when the task is cancelled.
boost::asio::awaitable<void> sleep_for(std::chrono::steady_clock::duration duration);

} // namespace relais::async
