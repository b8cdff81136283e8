#include "web-api/handlers/handlers.hpp"
#include "web-api/openapi/document.hpp"

namespace relais::web_api {

answer get_openapi(dependencies& /*with*/, const http::request& /*request*/) {
    auto document = http::response::json(200, std::string(openapi_document()));
    document.headers.set("Cache-Control", "public, max-age=300");
    co_return document;
}

} // namespace relais::web_api
