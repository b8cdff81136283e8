#pragma once

#include "gateway/live/live_json.hpp"
#include "http/router.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// What people see of the gateway, for the admin listener: GET /live is a page, which follows
/// /live/events (Server-Sent Events, a `view` a second); /live.json is the same once;
/// /requests/{id} says what happened to a request. The sources must outlive the listener.
std::vector<http::route> live_routes(live_sources from);

} // namespace relais::gateway
