#pragma once

#include "gateway/routing/route_table.hpp"

#include <relais/edge/v1/routes.pb.h>

namespace relais::gateway {

/// A number for a name that stays the same from one configuration to the next.
std::uint32_t id_of(std::string_view name);

/// Adds a limit of the routes file to the table, or tells what is wrong with it.
void read_limit(const edge::v1::Limit& given, route_table& to, config::reader& from);

} // namespace relais::gateway
