#pragma once

#include "async/signal.hpp"
#include "gateway/access/request_metrics.hpp"
#include "gateway/live/loop_view.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <vector>

namespace relais::gateway {

/// Requests of one route, since the start.
struct route_totals {
    std::uint64_t requests = 0;
    std::uint64_t client_errors = 0; ///< 4xx
    std::uint64_t failures = 0;      ///< 5xx
    std::array<std::uint64_t, duration_cells::buckets> durations{};

    route_totals& operator+=(const route_totals& more);
};

/// And of late.
struct route_view {
    route_totals totals;
    route_totals lately;
    std::chrono::duration<double> over{}; ///< what "lately" is; zero: not known yet
};

/// The upper bound of the bucket below which this share of the durations lies; 0 for none.
std::chrono::microseconds quantile(const route_totals& of, double share);

/// What all loops do, collected on the control thread when somebody asks: each loop looks at itself
/// and posts what it saw, so nobody waits and nothing is locked. Costs nothing while nobody asks.
class live_board {
public:
    using answer = std::function<void(loop_view)>;
    /// Asks loop number so; the answer comes on the control thread, or never.
    using ask_loop = std::function<void(std::size_t loop, answer)>;

    live_board(std::size_t loops, ask_loop ask, const request_metrics& figures,
               boost::asio::io_context& control);

    /// Returns when every loop has answered, or half a second is over: then what it said before
    /// stays. Several who ask at the same time get the same.
    boost::asio::awaitable<void> refresh();

    const std::vector<loop_view>& loops() const {
        return views_;
    }

    upload_sums uploads() const;

    /// By number in access_names::routes.
    std::map<std::uint16_t, route_view> routes() const;

private:
    struct sample {
        std::chrono::steady_clock::time_point taken;
        std::map<std::uint16_t, route_totals> routes;
    };

    void take_sample();

    ask_loop ask_;
    const request_metrics& figures_;
    async::signal answered_;
    std::vector<loop_view> views_;
    std::deque<sample> samples_; ///< the oldest first
    std::chrono::steady_clock::time_point asked_at_{};
    std::size_t open_ = 0;    ///< answers that are still to come
    std::uint64_t round_ = 0; ///< answers to older questions do not count
};

} // namespace relais::gateway
