#pragma once

#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/h2_pool.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/report.hpp"
#include "gateway/identity/identity_cache.hpp"
#include "gateway/limits/ban_list.hpp"
#include "gateway/limits/shared_limits.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/service.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace relais::gateway {

/// What one event loop needs to serve clients, all of it its own: clients, exchanges, the services
/// as it sees them, what it knows of identities. Everything but the constructor, start() and stop()
/// runs on the loop's thread; others post().
class edge final : public client_owner {
public:
    struct outside {
        const clock& time;
        shared_limits& limits;
        metrics::registry& metrics;
        log::logger logger;
        identity_cache::ask_function ask_identity;
        /// Something was refused for a reason worth watching. Called on this loop's thread.
        std::function<void(const exchange_record&)> watch_refusal;
        std::function<void(std::ptrdiff_t)> count_clients;
    };

    edge(const route_table& routes, outside given);
    ~edge();

    void start();
    /// Ends the loop; what is under way is cut off.
    void stop();

    template <class Work>
    void post(Work work) {
        loop_.post(std::move(work));
    }

    /// A connection that was just accepted, by its descriptor.
    void adopt(int descriptor, const boost::asio::ip::tcp::endpoint& peer, client_wire speaks);

    /// Answers end their connections from now on, connections that wait for a request end at once.
    void announce_drain();
    void close_idle();

    request_user& new_exchange(client_side& client) override;
    void on_closed(client_connection& which) override;

    const client_limits& patience() const override {
        return patience_;
    }

    /// The exchange is over and may serve another request.
    void recycle(exchange& over);

    edge_loop& loop() {
        return loop_;
    }

    const route_table& routes() const {
        return routes_;
    }

    service& service_at(std::size_t index) {
        return *services_[index];
    }

    identity_cache& identities() {
        return identities_;
    }

    shared_limits& limits() {
        return outside_.limits;
    }

    void set_bans(std::shared_ptr<const ban_list> now) {
        bans_ = std::move(now);
    }

    bool is_banned(const ip_address& address) const {
        return bans_->size() > 0 && bans_->find(address, outside_.time.now()) != nullptr;
    }

    reporter& reports() {
        return reports_;
    }

    const outside& others() const {
        return outside_;
    }

private:
    std::unique_ptr<client_connection> make_client(boost::asio::ip::tcp::socket socket,
                                                   client_info info, client_wire speaks);
    std::optional<error> take_place(client_connection& client, const ip_address& address);

    outside outside_;
    edge_loop loop_;
    const route_table& routes_;
    client_limits patience_;
    std::shared_ptr<const ban_list> bans_ = std::make_shared<ban_list>(); ///< of all edges
    reporter reports_;
    identity_cache identities_;
    std::vector<std::unique_ptr<service>> services_; ///< by index of the route table
    std::vector<std::unique_ptr<exchange>> exchanges_;
    std::vector<exchange*> free_exchanges_;
    h2_pool http2_;
    std::vector<std::unique_ptr<client_connection>> clients_;
    bool draining_ = false;
    bool stopping_ = false;
};

} // namespace relais::gateway
