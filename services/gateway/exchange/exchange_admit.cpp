#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/transport_rules.hpp"

// Whether a request may come in at all: from there, by this way, for this place.
namespace relais::gateway {

/// Whom it comes from, and how.
void exchange::find_sender(const http::request_head& head) {
    const auto& info = client_->info();
    const auto from = client_address_of(info.peer, plan_->routes->addresses, head.fields);
    address_ = from.address;
    https_ = from.protocol ? *from.protocol == client_protocol::https : info.encrypted;
    address_text_ = address_ == info.peer ? std::string() : address_.to_string();
    if (address_.is_v4()) {
        record_.set_client(address_.to_v4().to_bytes());
    } else {
        record_.set_client(address_.to_v6().to_bytes());
    }
}

/// What it asks for: bans, the route and what it says at once.
result<void> exchange::admit(const http::request_head& head) {
    const auto& routes = *plan_->routes;
    const auto reached = check_transport(client_->info(), head);
    if (!reached) {
        return reached;
    }
    if (edge_.is_banned(address_)) {
        return fail(error_kind::forbidden, "banned", "no requests from this address for now");
    }
    if (went_through_us(head)) {
        return fail(error_kind::internal, "loop-detected", "the request came through here before");
    }
    route_ = routes.find(head.path, head.method);
    if (route_ == nullptr) {
        return std::unexpected(no_route(routes, head));
    }
    service_ = plan_->services[route_->upstream].get();
    record_.route = plan_->route_label(*route_);
    record_.upstream = service_->label();
    until_ = record_.started + route_->deadline;
    auto limited =
        limits_.take_for_address(routes, *route_, edge_.limits(), address_, record_.started);
    if (!limited) {
        return limited;
    }
    return check_size(*route_, head);
}

} // namespace relais::gateway
