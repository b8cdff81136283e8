#include "gateway/edge.hpp"

#include "gateway/client/h1_client.hpp"
#include "gateway/client/h2_client.hpp"
#include "gateway/limits/address_key.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {
edge::edge(std::shared_ptr<const route_table> routes, outside given)
    : outside_(std::move(given)), loop_(outside_.time), identities_(loop_, outside_.ask_identity),
      plan_(std::make_shared<plan>()), http2_(loop_, outside_.metrics),
      arrivals_(outside_.metrics) {
    use(std::move(routes));
}

edge::~edge() {
    stop();
    over_ = true;
    outside_.cache.forget(this);
    clients_.clear();
    exchanges_.clear();
    plan_.reset();
    loop_.run_rest();
}

void edge::use(std::shared_ptr<const route_table> routes) {
    auto next = std::make_shared<plan>();
    next->routes = std::move(routes);
    for (const auto& each : next->routes->upstreams) {
        const auto known = std::ranges::find(plan_->services, each.name,
                                             [](const auto& one) { return one->name(); });
        next->services.push_back(known != plan_->services.end() ? *known : make_service(each));
    }
    for (const auto& each : next->routes->routes) {
        next->route_labels.push_back(outside_.names.routes.index_of(each.prefix));
    }
    plan_ = std::move(next);
    files_.clear();
}

std::shared_ptr<service> edge::make_service(const upstream_service& given) {
    service_settings settings;
    settings.name = given.name;
    settings.label = outside_.names.upstreams.index_of(given.name);
    settings.in_flight_max = given.requests_max;
    settings.waiting_max = given.waiting_max;
    return std::make_shared<service>(loop_, std::move(settings),
                                     service_metrics_of(given.name, outside_.metrics),
                                     outside_.names.instances);
}

service* edge::find_service(const std::string& name) {
    const auto found =
        std::ranges::find(plan_->services, name, [](const auto& each) { return each->name(); });
    return found == plan_->services.end() ? nullptr : found->get();
}

void edge::set_instances(const std::string& name, const std::vector<tcp::endpoint>& now) {
    if (auto* known = find_service(name)) {
        known->set_instances(now);
    }
}

void edge::secure(const std::string& name, const tls_client* by, const std::string& server_name,
                  service::report_failed_handshake report) {
    if (auto* known = find_service(name)) {
        known->secure(by, server_name, std::move(report));
    }
}

void edge::report_ready(const std::string& name, const tcp::endpoint& where, bool ready) {
    if (auto* known = find_service(name)) {
        known->report_ready(where, ready);
    }
}

void edge::start() {
    loop_.start();
}

void edge::stop() {
    loop_.stop();
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

std::unique_ptr<client_connection> edge::make_newcomer(tcp::socket socket, client_info info,
                                                       door& through) {
    if (arrival::is_needed(*through.rules)) {
        return std::make_unique<arrival>(loop_, *this, arrivals_, through, std::move(socket),
                                         std::move(info));
    }
    if (through.rules->protocol == listener_protocol::h2c) {
        return std::make_unique<h2_client>(loop_, *this, http2_, std::move(socket),
                                           std::move(info));
    }
    return std::make_unique<h1_client>(loop_, *this, std::move(socket), std::move(info));
}

void edge::adopt(int descriptor, const tcp::endpoint& peer, std::size_t listener) {
    tcp::socket socket(loop_.io());
    boost::system::error_code failed;
    socket.assign(peer.protocol(), descriptor, failed);
    if (failed) { // no memory or descriptors to wait for it
        ::close(descriptor);
        outside_.count_clients(-1);
        return;
    }
    auto& through = *doors_[listener];
    const auto address = unmapped(peer.address());
    client_info info{address, address.to_string(), false};
    info.through = &through;
    const bool arrives = arrival::is_needed(*through.rules);
    auto made = make_newcomer(std::move(socket), std::move(info), through);
    auto& client = *made;
    client.place = clients_.size();
    clients_.push_back(std::move(made));
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

void edge::on_closed(client_connection& which) {
    const auto place = which.place;
    auto dead = std::move(clients_[place]);
    if (place + 1 != clients_.size()) {
        clients_[place] = std::move(clients_.back());
        clients_[place]->place = place;
    }
    clients_.pop_back();
    outside_.stats.connection_closed();
    outside_.count_clients(-1);
    loop_.bury(std::move(dead));
}

void edge::announce_drain() {
    for (const auto& each : clients_) {
        each->announce_drain();
    }
    draining_ = true;
}

void edge::close_idle() {
    stopping_ = true;
    // Closing one moves another to its place.
    for (std::size_t i = clients_.size(); i-- > 0;) {
        clients_[i]->close_idle();
    }
}

request_user& edge::new_exchange(client_side& client) {
    return next_exchange(client);
}

exchange& edge::next_exchange(client_side& client) {
    if (free_exchanges_.empty()) {
        exchanges_.push_back(std::make_unique<exchange>(*this));
        free_exchanges_.push_back(exchanges_.back().get());
    }
    auto& next = *free_exchanges_.back();
    free_exchanges_.pop_back();
    next.begin(client);
    return next;
}

bool edge::refresh(const http::request_head& asked, const client_info& info, const std::string& key,
                   response_cache::answer kept) {
    constexpr std::size_t refreshes_max = 64;
    if (refreshes_.size() >= refreshes_max) {
        return false;
    }
    auto& made = *refreshes_.emplace_back(std::make_unique<cache_refresh>(*this, asked, info));
    made.place = refreshes_.size() - 1;
    auto& work = next_exchange(made);
    work.begin_refresh(key, std::move(kept));
    work.on_request(made.head());
    return true;
}

void edge::on_refreshed(cache_refresh& which) {
    const auto place = which.place;
    auto over = std::move(refreshes_[place]);
    refreshes_[place] = std::move(refreshes_.back());
    refreshes_.pop_back();
    if (place < refreshes_.size()) {
        refreshes_[place]->place = place;
    }
    loop_.bury(std::move(over));
}

void edge::recycle(exchange& over, std::shared_ptr<const plan> used) {
    free_exchanges_.push_back(&over);
    if (used != plan_) {
        // Its services may be on the stack.
        loop_.bury(std::make_unique<std::shared_ptr<const plan>>(std::move(used)));
    }
}

} // namespace relais::gateway
