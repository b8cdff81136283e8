#pragma once

#include <string_view>

namespace relais::web_api {

/// The OpenAPI 3.1 document of the public routes, assembled at build time from the JSON files
/// beside this header. Lives as long as the program.
std::string_view openapi_document();

} // namespace relais::web_api
