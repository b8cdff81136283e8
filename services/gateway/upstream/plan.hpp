#pragma once

#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/service.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// What an event loop serves by from one configuration to the next. An exchange keeps the plan it
/// began with until it is over, so a change of configuration touches nothing that is under way.
struct plan {
    std::shared_ptr<const route_table> routes; // shared by the loops
    /// By index of the routes' upstreams. Shared by the plans of this loop that name them.
    std::vector<std::shared_ptr<service>> services;
    std::vector<std::uint16_t> route_labels; ///< numbers of access_names, as the routes

    std::uint16_t route_label(const route& which) const {
        return route_labels[static_cast<std::size_t>(&which - routes->routes.data())];
    }
};

} // namespace relais::gateway
