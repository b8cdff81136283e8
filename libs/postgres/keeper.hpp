#pragma once

#include "postgres/liveness.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace relais::pg::detail {

/// Two threads beside the pool's. One shuts the socket of a statement that is far over its time,
/// because libpq would wait for ever; and as soon as a statement waits and the server does not
/// answer a stranger either (frozen, cut off), it tells `silent` and shuts all of them, so that
/// nobody waits for a deadline in vain. The other calls `tick` ten times a second, so that an
/// outage, and its end, are noticed without traffic. It is one of its own because a tick may itself
/// wait for a server that freezes at this moment.
class keeper {
public:
    using time_point = std::chrono::steady_clock::time_point;

    keeper(std::function<void()> tick, std::function<void()> silent);
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

        /// Whether the keeper had to cut this statement off: it took too long, or the server
        /// answers nobody.
        bool cut() const;
        bool cut_by_silence() const;

    private:
        keeper* owner_; // may be null: nobody watches
        std::uint64_t ticket_ = 0;
    };

    void stop();

private:
    enum class ending { none, overdue, silence };

    struct watched {
        int socket;
        time_point since;
        time_point until;
        ending cut = ending::none;
    };

    ending how_cut(std::uint64_t ticket) const;

    void watch();
    void call_tick();
    void cut(watched& entry, ending how);
    void cut_overdue(time_point now);
    std::optional<peer> who_keeps_us_waiting(time_point now) const;
    void look_for_silence(std::unique_lock<std::mutex>& lock);

    std::function<void()> tick_;
    std::function<void()> silent_;
    time_point answered_at_{}; ///< the server, when it was last asked
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::uint64_t next_ticket_ = 1;
    std::map<std::uint64_t, watched> watched_;
    std::thread watching_; // last: they use all of the above
    std::thread ticking_;
};

} // namespace relais::pg::detail
