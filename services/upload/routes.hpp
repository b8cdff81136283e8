#pragma once

#include "http/router.hpp"
#include "upload/handlers/dependencies.hpp"

#include <vector>

namespace relais::upload {

/// `with` must live as long as the routes.
std::vector<http::route> routes(dependencies& with);

} // namespace relais::upload
