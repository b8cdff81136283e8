#pragma once

#include "clock/clock.hpp"
#include "gateway/access/recent_requests.hpp"
#include "gateway/listeners/listener_set.hpp"
#include "gateway/live/live_board.hpp"

#include <chrono>
#include <string>

namespace relais::gateway {

/// Where a stop has got to.
struct drain_view {
    bool draining = false;
    std::chrono::milliseconds since{};
    std::chrono::milliseconds uploads_max{}; ///< then they are cut off
};

/// What the live view shows.
struct live_sources {
    live_board& board;
    const access_names& names;
    const recent_requests& recent;
    const clock& time;
    std::string instance;
    std::function<drain_view()> drain;
    std::function<std::size_t()> bans; ///< in force
    std::function<std::vector<shown_certificate>()> certificates;
};

/// What the board saw last, as one line of JSON. The form is the page's business and may change.
std::string live_json(const live_sources& from);

} // namespace relais::gateway
