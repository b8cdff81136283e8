#include "gateway/cache/cache_refresh.hpp"

namespace relais::gateway {

cache_refresh::cache_refresh(owner& whose, const http::request_head& asked, client_info info)
    : owner_(whose), info_(std::move(info)), head_(asked) {
    head_.query = keep(asked.query);
    head_.host = keep(asked.host);
    for (auto& field : head_.fields) {
        field = {keep(field.name), keep(field.value)};
    }
}

std::string_view cache_refresh::keep(std::string_view text) {
    texts_.push_back(std::make_unique<std::string>(text));
    return *texts_.back();
}

} // namespace relais::gateway
