#include "gateway/listeners/own_listeners.hpp"

#include <algorithm>

namespace relais::gateway {

std::vector<std::shared_ptr<const listener_settings>> with_own(const own_listeners& own,
                                                               const route_table& routes) {
    auto out = routes.listeners;
    const auto add = [&](const config::endpoint& where, listener_protocol protocol) {
        const bool is_taken = std::ranges::any_of(
            routes.listeners, [&](const auto& each) { return each->address == where; });
        if (where.host.empty() || is_taken) {
            return;
        }
        listener_settings made;
        made.name = where.text();
        made.address = where;
        made.protocol = protocol;
        made.proxy = routes.proxy_protocol ? proxy_policy::trusted : proxy_policy::off;
        out.push_back(std::make_shared<const listener_settings>(std::move(made)));
    };
    add(own.http, listener_protocol::http);
    add(own.h2c, listener_protocol::h2c);
    return out;
}

} // namespace relais::gateway
