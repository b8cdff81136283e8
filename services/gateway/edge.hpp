#pragma once

#include "gateway/access/access_ring.hpp"
#include "gateway/access/request_stats.hpp"
#include "gateway/cache/cache_refresh.hpp"
#include "gateway/cache/response_cache.hpp"
#include "gateway/client/arrival.hpp"
#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/h2_pool.hpp"
#include "gateway/compression/encoder_pool.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/files/file_shelf.hpp"
#include "gateway/identity/identity_cache.hpp"
#include "gateway/limits/ban_list.hpp"
#include "gateway/limits/shared_limits.hpp"
#include "gateway/listeners/client_count.hpp"
#include "gateway/listeners/loop_acceptor.hpp"
#include "gateway/live/loop_view.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/plan.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace relais::gateway {

/// What one event loop needs to serve clients, all of it its own: clients, exchanges, the services
/// as it sees them, what it knows of identities. Everything but the constructor, start() and stop()
/// runs on the loop's thread; others post().
class edge final : public client_owner,
                   public arrival_owner,
                   public cache_refresh::owner,
                   public loop_acceptor::owner {
public:
    struct outside {
        const clock& time;
        shared_limits& limits;
        response_cache& cache;
        metrics::registry& metrics;
        access_names& names;
        request_stats& stats; ///< this loop's
        access_ring& log;     ///< this loop's
        identity_cache::ask_function ask_identity;
        /// Something was refused for a reason worth watching. Called on this loop's thread.
        std::function<void(const access_record&)> watch_refusal;
        client_count& clients; ///< of all loops
        /// Who serves what this edge has accepted: itself, unless another has much less to do.
        std::function<edge&(edge&)> serving;
        std::function<void(int error)> report_accept_failed;
    };

    edge(std::shared_ptr<const route_table> routes, outside given);
    virtual ~edge();

    void start();
    /// Ends the loop; what is under way is cut off.
    void stop();

    /// Never runs when the edge has ended by then.
    template <class Work>
    void post(Work work) {
        loop_.post([this, work = std::move(work)]() mutable {
            if (!over_) {
                work();
            }
        });
    }

    /// Serves by these from now on; what is under way goes on by what it began with.
    void use(std::shared_ptr<const route_table> routes);
    void set_instances(const std::string& service,
                       const std::vector<boost::asio::ip::tcp::endpoint>& now);
    /// See service::secure().
    void secure(const std::string& service, const tls_client* by, const std::string& server_name,
                service::report_failed_handshake report);
    void report_ready(const std::string& service, const boost::asio::ip::tcp::endpoint& where,
                      bool ready);

    /// How a listener's connections are served from now on. Before the first of them comes.
    void set_door(std::size_t listener, std::shared_ptr<const listener_settings> rules,
                  const tls_server* security);
    /// Takes the descriptor of a listening socket, whose door is set, and accepts.
    void accept_from(std::size_t listener, int descriptor);
    void stop_accepting(std::size_t listener);
    /// For more connections, where there was none.
    void on_room();
    /// A connection that was just accepted, by its descriptor.
    void adopt(int descriptor, const boost::asio::ip::tcp::endpoint& peer, std::size_t listener);

    /// Answers end their connections from now on, connections that wait for a request end at once.
    void announce_drain();
    void close_idle();

    /// What goes on, for people. Takes a moment for each request under way.
    loop_view look();

    request_user& new_exchange(client_side& client) override;
    void on_closed(client_connection& which) override;

    std::optional<error> admit(arrival& which, const ip_address& from) override;
    void on_arrived(arrival& which, const std::optional<error>& refused) override;
    void on_lost(arrival& which) override;
    bool is_trusted(const ip_address& peer) const override;

    bool take_room() override;
    void give_room_back() override;
    void on_accepted(std::size_t listener, int descriptor,
                     const boost::asio::ip::tcp::endpoint& peer) override;
    void on_accept_failed(int error) override;

    /// From any thread: connections that this loop has.
    std::size_t clients_open() const {
        return clients_open_.load(std::memory_order_relaxed);
    }

    const client_limits& patience() const override {
        return patience_;
    }

    /// The exchange is over and may serve another request. Gives back the plan it had.
    void recycle(exchange& over, std::shared_ptr<const plan> used);

    edge_loop& loop() {
        return loop_;
    }

    const std::shared_ptr<const plan>& current_plan() const {
        return plan_;
    }

    identity_cache& identities() {
        return identities_;
    }

    /// Asks once more what `asked` did, for the cache. False: too many are under way.
    bool refresh(const http::request_head& asked, const client_info& info, const std::string& key,
                 response_cache::answer kept);
    void on_refreshed(cache_refresh& which) override;

    response_cache& cache() {
        return outside_.cache;
    }

    file_shelf& files() {
        return files_;
    }

    encoder_pool& encoders() {
        return encoders_;
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

    const outside& others() const {
        return outside_;
    }

private:
    exchange& next_exchange(client_side& client);
    std::shared_ptr<service> make_service(const upstream_service& given);
    service* find_service(const std::string& name);
    std::unique_ptr<client_connection> make_client(channel&& open, client_info info,
                                                   client_wire speaks);
    std::unique_ptr<client_connection> make_newcomer(int descriptor, client_info info,
                                                     door& through);
    void begin(client_connection& client, const std::optional<error>& refused);
    std::optional<error> take_place(client_connection& client, const ip_address& address);

    outside outside_;
    edge_loop loop_;
    client_limits patience_;
    std::shared_ptr<const ban_list> bans_ = std::make_shared<ban_list>(); ///< of all edges
    identity_cache identities_;
    encoder_pool encoders_;
    file_shelf files_;
    std::shared_ptr<const plan> plan_; // shared with the exchanges of this loop
    std::vector<std::unique_ptr<exchange>> exchanges_;
    std::vector<exchange*> free_exchanges_;
    std::vector<std::unique_ptr<cache_refresh>> refreshes_;
    h2_pool http2_;
    arrival_metrics arrivals_;
    std::vector<std::unique_ptr<door>> doors_; ///< by the listeners' numbers
    std::vector<std::unique_ptr<client_connection>> clients_;
    std::atomic<std::size_t> clients_open_{0}; ///< for others
    std::vector<std::unique_ptr<loop_acceptor>> acceptors_;
    bool draining_ = false;
    bool stopping_ = false;
    bool over_ = false; ///< what the control thread still posts is for nobody
};

} // namespace relais::gateway
