#pragma once

#include "gateway/routing/route_table.hpp"

#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {

/// A service behind the gateway. Its URLs come from the environment; certificates for it are read,
/// too. Problems go to `from.problem()`.
upstream_service read_upstream(const edge::v1::Upstream& given, config::reader& from);

} // namespace relais::gateway
