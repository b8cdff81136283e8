#include "gateway/identity/web_api_clients.hpp"

#include <stdexcept>

namespace relais::gateway {

std::vector<std::unique_ptr<http::client>> make_web_api_clients(const route_table& routes,
                                                                host::process& process) {
    std::vector<std::unique_ptr<http::client>> out;
    for (const auto& each : routes.upstreams) {
        for (const auto& target : each.targets) {
            if (each.name == "web-api") {
                http::client_settings settings;
                settings.base_url = "http://" + target.address.text();
                settings.name = each.name;
                settings.body_max = std::size_t{1024} * 1024;
                out.push_back(
                    std::make_unique<http::client>(settings, process.loop(), process.metrics()));
            }
        }
    }
    if (out.empty()) {
        throw std::runtime_error("the routes file has no upstream web-api, which knows the tokens");
    }
    return out;
}

std::vector<http::client*> pointers(const std::vector<std::unique_ptr<http::client>>& to) {
    std::vector<http::client*> out;
    for (const auto& each : to) {
        out.push_back(each.get());
    }
    return out;
}

} // namespace relais::gateway
