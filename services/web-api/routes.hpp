#pragma once

#include "http/router.hpp"
#include "web-api/handlers/dependencies.hpp"

#include <vector>

namespace relais::web_api {

/// Every route of the service. `with` must outlive them.
std::vector<http::route> routes(dependencies& with);

} // namespace relais::web_api
