#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <vector>

namespace relais::http {

/// The deadlines of all connections of one loop behind a single timer: setting one costs nothing, a
/// passed one is noticed at most 50 ms late. A timer per operation would cost a syscall per
/// request. Used on the loop's thread only; must outlive its entries.
class deadline_watch {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit deadline_watch(boost::asio::io_context& loop);
    ~deadline_watch();
    deadline_watch(const deadline_watch&) = delete;
    deadline_watch& operator=(const deadline_watch&) = delete;

    /// One deadline. on_expiry is called once per set() that passes; it may cancel or close sockets
    /// but must not destroy entries.
    class entry {
    public:
        entry(deadline_watch& watch, std::function<void()> on_expiry);
        ~entry();
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;

        void set(time_point when);
        void set_after(std::chrono::milliseconds duration);
        void clear();

        /// Whether the last set() passed.
        bool expired() const {
            return expired_;
        }

    private:
        friend class deadline_watch;
        deadline_watch& watch_;
        std::function<void()> on_expiry_;
        time_point when_ = time_point::max();
        std::size_t place_ = 0;
        bool expired_ = false;
    };

private:
    void arm();
    void look();

    boost::asio::steady_timer timer_;
    std::vector<entry*> entries_;
    bool armed_ = false;
};

} // namespace relais::http
