#pragma once

#include "clock/clock.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace relais::timers {

/// Something to do at a time, once. The id is chosen by the caller, so that the same timer can be
/// set again (moves it) or cancelled: "upload-expiry:<upload id>".
struct timer {
    std::string id;
    std::string kind; ///< which handler
    timestamp due_at{};
    std::string payload;
    int priority = 0; ///< lower first among the due ones
};

/// In the caller's transaction.
void schedule(pg::transaction& tx, const timer& value);
/// False when it was not there (never set, or already fired).
bool cancel(pg::transaction& tx, const std::string& id);

/// Fires due timers: the handler runs in the transaction that removes the timer (FOR UPDATE SKIP
/// LOCKED), so exactly one firing takes effect however many instances run. A handler that fails is
/// tried again with backoff. Wakes at the next due time; looks at least every second.
class runner {
public:
    using handler = std::function<result<void>(pg::transaction&, const timer&, timestamp now)>;

    runner(pg::pool& database, const clock& time, boost::asio::io_context& loop,
           metrics::registry& metrics, log::logger logger);
    ~runner();

    void on(std::string kind, handler fire);
    boost::asio::awaitable<void> run();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::timers
