#pragma once

#include "gateway/drain_settings.hpp"
#include "gateway/edge_fleet.hpp"
#include "gateway/live/live_board.hpp"
#include "gateway/live/live_json.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace relais::gateway {

/// How the edge stops: no more connections; idle ones end at once; requests have their time; and
/// while there are uploads they are waited for, up to a maximum. Says every few seconds how many
/// there are and how long they will probably take. Control thread.
class drain {
public:
    drain(edge_fleet& edges, live_board& board, drain_settings settings, metrics::registry& metrics,
          log::logger logger);

    /// Answers end their connections from now on; new ones are still accepted.
    void begin();
    /// Ends all of them; what is left when the time is over is cut off. `taken_over`: begin() has
    /// only just been called, and a new process accepts already. Clients are told with their next
    /// answer then, before those that wait for a request are closed.
    boost::asio::awaitable<void> finish(bool taken_over);

    drain_view view() const;

private:
    using steady = std::chrono::steady_clock;

    boost::asio::awaitable<bool> may_wait(steady::time_point began);
    void report(steady::time_point began);
    void conclude(steady::time_point began);

    edge_fleet& edges_;
    live_board& board_;
    drain_settings settings_;
    log::logger logger_;
    metrics::gauge uploads_;
    metrics::gauge bytes_left_;
    metrics::gauge seconds_left_;
    steady::time_point began_{};
    steady::time_point had_uploads_{};
    bool draining_ = false;
};

} // namespace relais::gateway
