#include "gateway/edge.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>

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
    acceptors_.clear();
    outside_.cache.forget(this);
    clients_.clear();
    exchanges_.clear();
    plan_.reset();
    loop_.turn_once();
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

void edge::on_closed(client_connection& which) {
    const auto place = which.place;
    auto dead = std::move(clients_[place]);
    if (place + 1 != clients_.size()) {
        clients_[place] = std::move(clients_.back());
        clients_[place]->place = place;
    }
    clients_.pop_back();
    outside_.stats.connection_closed();
    clients_open_.store(clients_.size(), std::memory_order_relaxed);
    outside_.clients.give_back();
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
