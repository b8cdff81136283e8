#include "upload/routes.hpp"

#include "upload/handlers/handlers.hpp"

namespace relais::upload {
namespace {

constexpr std::size_t events_body_max = std::size_t{256} * 1024;

struct line {
    const char* method;
    const char* path;
    http::access access;
    answer (*handle)(dependencies&, const http::request&);
    std::size_t body_max = std::size_t{16} * 1024;
};

constexpr line table[] = {
    {"POST", "/v1/uploads", http::access::account, create_upload},
    {"GET", "/v1/uploads/{id}", http::access::account, show_upload},
    {"POST", "/v1/uploads/{id}/completion", http::access::account, complete_upload},
    {"POST", "/internal/v1/object-events", http::access::internal, note_objects, events_body_max},
};

} // namespace

std::vector<http::route> routes(dependencies& with) {
    std::vector<http::route> out;
    for (const line& each : table) {
        http::route route;
        route.method = each.method;
        route.path = each.path;
        route.access = each.access;
        route.body_max = each.body_max;
        route.handle = [&with, handle = each.handle](const http::request& request) {
            return handle(with, request);
        };
        out.push_back(std::move(route));
    }
    return out;
}

} // namespace relais::upload
