#pragma once

#include "gateway/routing/route_table.hpp"

#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {

/// The listeners and the ticket keys of a routes file. Certificates and keys are read, too: a
/// configuration whose files do not fit is wrong. Problems go to `from.problem()`.
void read_listeners(const edge::v1::RouteTable& given, route_table& to, config::reader& from);

} // namespace relais::gateway
