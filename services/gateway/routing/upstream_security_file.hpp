#pragma once

#include "gateway/routing/route_table.hpp"

#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {

/// How connections to a service are secured, from its URLs (read already) and what the file says.
/// The certificates are read, too. Problems go to `from.problem()`.
void read_upstream_security(const edge::v1::Upstream& given, upstream_service& to,
                            config::reader& from);

} // namespace relais::gateway
