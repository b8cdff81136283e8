#include "gateway/client/h1_client.hpp"
#include "gateway/client/h2_client.hpp"
#include "gateway/edge.hpp"
#include "gateway/limits/address_key.hpp"

// How clients come in.
namespace relais::gateway {

using boost::asio::ip::tcp;

void edge::accept_from(std::size_t listener, int descriptor) {
    acceptors_.push_back(std::make_unique<loop_acceptor>(loop_, *this, listener, descriptor));
}

void edge::stop_accepting(std::size_t listener) {
    std::erase_if(acceptors_, [&](const auto& each) { return each->listener() == listener; });
}

void edge::on_room() {
    for (const auto& each : acceptors_) {
        each->on_room();
    }
}

bool edge::take_room() {
    return outside_.clients.take();
}

void edge::give_room_back() {
    outside_.clients.give_back();
}

void edge::on_accepted(std::size_t listener, int descriptor, const tcp::endpoint& peer) {
    auto& to = outside_.serving(*this);
    if (&to == this) {
        adopt(descriptor, peer, listener);
    } else {
        to.post([&to, descriptor, peer, listener] { to.adopt(descriptor, peer, listener); });
    }
}

void edge::on_accept_failed(int error) {
    outside_.report_accept_failed(error);
}

void edge::set_door(std::size_t listener, std::shared_ptr<const listener_settings> rules,
                    const tls_server* security) {
    while (doors_.size() <= listener) {
        doors_.push_back(std::make_unique<door>());
    }
    doors_[listener]->use(std::move(rules), security);
}

std::unique_ptr<client_connection> edge::make_client(channel&& open, client_info info,
                                                     client_wire speaks) {
    if (speaks == client_wire::http2) {
        return std::make_unique<h2_client>(loop_, *this, http2_, std::move(open), std::move(info));
    }
    return std::make_unique<h1_client>(loop_, *this, std::move(open), std::move(info));
}

std::unique_ptr<client_connection> edge::make_newcomer(int descriptor, client_info info,
                                                       door& through) {
    if (arrival::is_needed(*through.rules)) {
        return std::make_unique<arrival>(loop_, *this, arrivals_, through, descriptor,
                                         std::move(info));
    }
    if (through.rules->protocol == listener_protocol::h2c) {
        return std::make_unique<h2_client>(loop_, *this, http2_, descriptor, std::move(info));
    }
    return std::make_unique<h1_client>(loop_, *this, descriptor, std::move(info));
}

void edge::adopt(int descriptor, const tcp::endpoint& peer, std::size_t listener) {
    auto& through = *doors_[listener];
    const auto address = unmapped(peer.address());
    client_info info{address, address.to_string(), false};
    info.through = &through;
    const bool arrives = arrival::is_needed(*through.rules);
    auto made = make_newcomer(descriptor, std::move(info), through);
    auto& client = *made;
    client.place = clients_.size();
    clients_.push_back(std::move(made));
    clients_open_.store(clients_.size(), std::memory_order_relaxed);
    outside_.stats.connection_opened();
    begin(client, arrives ? std::nullopt : take_place(client, address));
}

void edge::begin(client_connection& client, const std::optional<error>& refused) {
    if (refused) {
        client.start_refused(*refused);
        return;
    }
    if (draining_) {
        client.announce_drain();
    }
    client.start();
    if (stopping_) {
        client.close_idle();
    }
}

std::optional<error> edge::admit(arrival& which, const ip_address& from) {
    return take_place(which, from);
}

/// What speaks HTTP takes the place of what waited for it.
void edge::on_arrived(arrival& which, const std::optional<error>& refused) {
    auto& place = clients_[which.place];
    const bool misplaced = which.info().misplaced;
    auto made = make_client(std::move(which.connection()), std::move(which.info()), which.wire());
    made->place = which.place;
    made->hold(which.release());
    auto& client = *made;
    loop_.bury(std::exchange(place, std::move(made)));
    if (misplaced) {
        client.announce_drain();
    }
    begin(client, refused);
}

void edge::on_lost(arrival& which) {
    on_closed(which);
}

bool edge::is_trusted(const ip_address& peer) const {
    return plan_->routes->addresses.trusted.contains(peer);
}

/// Why this connection is not served, if it is not.
std::optional<error> edge::take_place(client_connection& client, const ip_address& address) {
    const auto& routes = *plan_->routes;
    if (routes.addresses.source == address_source::peer && is_banned(address)) {
        return error{error_kind::forbidden, "banned", "no requests from this address for now", "",
                     std::nullopt};
    }
    // What trusted proxies bring are the connections of many.
    if (routes.connections_per_address_max == 0 || routes.addresses.trusted.contains(address)) {
        return std::nullopt;
    }
    const address_key key(address, routes.v6_prefix);
    auto place = limits().connections.acquire(0, key.bytes(), routes.connections_per_address_max);
    if (!place) {
        return error{error_kind::rate_limited, "connection-limit", "too many connections", "",
                     std::chrono::seconds(1)};
    }
    client.hold(std::move(*place));
    return std::nullopt;
}

} // namespace relais::gateway
