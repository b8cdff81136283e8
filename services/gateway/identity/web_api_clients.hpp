#pragma once

#include "gateway/routing/route_table.hpp"
#include "host/process.hpp"
#include "http/client.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// Clients of web-api's instances, which know whose tokens are: those of the upstream with that
/// name. Throws when there is no such upstream.
std::vector<std::unique_ptr<http::client>> make_web_api_clients(const route_table& routes,
                                                                host::process& process);

std::vector<http::client*> pointers(const std::vector<std::unique_ptr<http::client>>& to);

} // namespace relais::gateway
