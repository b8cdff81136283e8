#pragma once

#include "gateway/routing/route_table.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// Where clients connect whatever the routes file says (RELAIS_LISTEN, RELAIS_LISTEN_H2C). Without
/// a host: nowhere.
struct own_listeners {
    config::endpoint http;
    config::endpoint h2c;
};

/// All listeners of a configuration; for the same address the file's.
std::vector<std::shared_ptr<const listener_settings>> with_own(const own_listeners& own,
                                                               const route_table& routes);

} // namespace relais::gateway
