#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace relais::pg::detail {

/// A thread beside the pool's. It shuts the socket of a statement that is far over its time (a
/// server that is frozen or cut off answers nothing, and libpq would wait for ever), and calls
/// `tick` four times a second, so that an outage, and its end, are noticed without traffic.
class keeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit keeper(std::function<void()> tick);
    ~keeper();
    keeper(const keeper&) = delete;
    keeper& operator=(const keeper&) = delete;

    /// While a guard lives its socket is shut down once `until` has passed.
    class guard {
    public:
        guard(keeper* owner, int socket, time_point until);
        ~guard();
        guard(const guard&) = delete;
        guard& operator=(const guard&) = delete;

        /// Whether the keeper had to cut this statement off.
        bool cut() const;

    private:
        keeper* owner_; // may be null: nobody watches
        std::uint64_t ticket_ = 0;
    };

    void stop();

private:
    struct watched {
        int socket;
        time_point until;
        bool cut = false;
    };

    void run();
    void cut_overdue(time_point now);

    std::function<void()> tick_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::uint64_t next_ticket_ = 1;
    std::map<std::uint64_t, watched> watched_;
    std::thread thread_; // last: it uses all of the above
};

} // namespace relais::pg::detail
