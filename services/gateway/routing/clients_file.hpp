#pragma once

#include "config/reader.hpp"
#include "gateway/routing/route_table.hpp"

#include <cstdint>
#include <string_view>

namespace relais::edge::v1 {
class ClientAddress;
class Limit;
} // namespace relais::edge::v1

namespace relais::gateway {

/// The parts of the routes file that say who clients are and how much they may ask for. What is
/// wrong goes to `from`.
void read_client_address(const edge::v1::ClientAddress& given, route_table& to,
                         config::reader& from);
void read_limit(const edge::v1::Limit& given, route_table& to, config::reader& from);

/// A number for a name that stays the same from one configuration to the next.
std::uint32_t stable_id(std::string_view name);

} // namespace relais::gateway
