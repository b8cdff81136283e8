#pragma once

#include <string>

namespace relais::gateway {

/// The fields of the routes file, as the comments of its form describe them: what --help-config
/// prints below the variables.
std::string route_help();

} // namespace relais::gateway
