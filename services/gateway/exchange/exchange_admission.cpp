#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/transport_rules.hpp"
#include "gateway/identity/cookie_session.hpp"

// Who asks for what, and whether he may.
namespace relais::gateway {
namespace {

constexpr std::string_view bearer = "Bearer ";

} // namespace

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

/// A preflight is about the route of the request that may follow, where that one has CORS rules.
const route* exchange::find_route(const http::request_head& head) {
    const auto& routes = *plan_->routes;
    if (is_preflight(head)) {
        const auto* const asked = routes.find(head.path, preflight_method(head));
        if (asked != nullptr && asked->answers != nullptr && asked->answers->cors) {
            preflight_ = true;
            return asked;
        }
    }
    return routes.find(head.path, head.method);
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
    route_ = find_route(head);
    if (route_ == nullptr) {
        return std::unexpected(no_route(routes, head));
    }
    if (route_->files == nullptr) {
        service_ = plan_->services[route_->upstream].get();
        record_.upstream = service_->label();
    }
    record_.route = plan_->route_label(*route_);
    until_ = record_.started + route_->deadline;
    shaper_.note_request(route_->answers.get(), head, preflight_);
    if (cache_.refreshes) {
        return {}; // it was counted when it was asked
    }
    auto limited =
        limits_.take_for_address(routes, *route_, edge_.limits(), address_, record_.started);
    if (!limited) {
        return limited;
    }
    return check_size(*route_, head);
}

void exchange::authenticate() {
    if (route_->bucket != nullptr) {
        prepare(nullptr); // it is for anybody
        return;
    }
    const auto given = head_->find("authorization");
    if (route_->credentials == credentials::forward || !given) {
        if (!authenticate_by_cookie()) {
            prepare(nullptr);
        }
        return;
    }
    if (!given->starts_with(bearer)) {
        refuse(
            {error_kind::unauthenticated, "invalid-token", "use a bearer token", "", std::nullopt});
        return;
    }
    identify(given->substr(bearer.size()));
}

/// False: no cookie says who asks.
bool exchange::authenticate_by_cookie() {
    const auto token = route_->cookie_sessions ? session_cookie(head_->fields) : std::nullopt;
    if (!token) {
        return false;
    }
    // Browsers send cookies for whoever asks them to.
    const bool may_change =
        !is_safe(head_->method) || !upgrade_of(*head_, route_->upgrades).empty();
    if (may_change && !is_made_by_our_pages(*head_, https_, plan_->routes->trusted_origins)) {
        refuse({error_kind::forbidden, "cross-site",
                "with the session cookie only pages of the same origin may do this", "",
                std::nullopt});
        return true;
    }
    by_cookie_ = true;
    identify(*token);
    return true;
}

void exchange::identify(std::string_view token) {
    if (const auto known = edge_.identities().find(token)) {
        on_identity(*known);
        return;
    }
    phase_ = phase::identity;
    edge_.identities().ask(token, record_.trace, *this);
}

void exchange::on_identity(const result<const known_caller*>& who) {
    phase_ = phase::idle;
    if (!who) {
        refuse(who.error());
    } else if (*who == nullptr && by_cookie_) {
        prepare(nullptr); // a session that ended must not keep anybody from beginning another
    } else if (*who == nullptr) {
        refuse({error_kind::unauthenticated, "invalid-token",
                "the token is unknown, expired or revoked", "", std::nullopt});
    } else {
        record_.account = (*who)->who.account.value();
        const auto limited =
            limits_.take_for_caller(*plan_->routes, *route_, edge_.limits(), **who, turn_time());
        if (!limited) {
            refuse(limited.error());
            return;
        }
        prepare(*who);
    }
}

} // namespace relais::gateway
