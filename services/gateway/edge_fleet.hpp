#pragma once

#include "async/task_group.hpp"
#include "gateway/access/access_writer.hpp"
#include "gateway/access/request_metrics.hpp"
#include "gateway/cache/cache_metrics.hpp"
#include "gateway/edge.hpp"
#include "gateway/listeners/certificate_metrics.hpp"
#include "gateway/listeners/own_listeners.hpp"
#include "gateway/loop/loop_metrics.hpp"
#include "gateway/upstream/upstream_clients.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace relais::gateway {

/// The edges, one per event loop, as the control thread sees them: it opens the listeners, from
/// which each of them accepts, and tells all of them what changes.
class edge_fleet { // NOLINT(clang-analyzer-optin.performance.Padding): there is one
public:
    struct surroundings {
        std::shared_ptr<const route_table> routes;
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        access_names& names;
        request_metrics& figures;
        access_writer& log;
        introspector& identities;
        async::task_group& tasks;
        http::socket_shelf& sockets;
        /// Called on the control thread.
        std::function<void(const access_record&)> watch_refusal;
    };

    /// `own`: listeners that every configuration has, unless it has one of the same address.
    edge_fleet(std::size_t loops, std::size_t connections_max, std::size_t cache_bytes_max,
               own_listeners own, boost::asio::io_context& control, surroundings given);

    /// Listens and accepts, until stop_accepting().
    result<void> start();
    /// Serves by these from now on.
    void use(const std::shared_ptr<const route_table>& routes);
    /// Follows certificates, until cancelled.
    boost::asio::awaitable<void> watch_certificates();
    /// No more connections.
    void stop_accepting();
    /// Those that wait for a request end.
    void close_idle();
    /// Cuts off what is under way.
    void stop();

    /// Open connections, also those on their way to a loop.
    std::size_t clients() const {
        return clients_.open();
    }

    /// Asks one loop what goes on; it answers on the control thread, unless it has stopped.
    void look(std::size_t loop, std::function<void(loop_view)> answer);

    std::vector<shown_certificate> certificates() const {
        return listeners_.certificates();
    }

    /// Forgets what carries the tag, on all edges.
    std::size_t purge(std::string_view tag) {
        return cache_.purge(tag, std::chrono::steady_clock::now());
    }

    template <class Work>
    void tell_each(const Work& work) {
        for (const auto& each : edges_) {
            each->post([to = each.get(), work] { work(*to); });
        }
    }

private:
    listener_set::surroundings listening();
    using some_edge = std::vector<std::unique_ptr<edge>>::const_iterator;
    some_edge idlest() const;
    void stop_accepting_from(std::size_t listener, std::function<void()> done);
    edge& serving(edge& by);
    void secure(const std::string& service, const tls_client* by, const std::string& server_name);
    void ask_identity(edge& whose, std::string token, const trace::context& where,
                      std::function<void(result<introspection>)> answer);
    edge::outside outside_of(std::size_t index);

    boost::asio::io_context& control_;
    surroundings given_;
    client_count clients_;              ///< also on their way to an edge
    upstream_clients upstream_clients_; ///< outlives the edges
    own_listeners own_;
    listener_set listeners_; ///< its servers outlive the edges
    certificate_metrics certificate_metrics_;
    shared_limits limits_;
    response_cache cache_;
    cache_metrics cache_metrics_;
    std::vector<std::unique_ptr<edge>> edges_;
    loop_metrics loop_metrics_;
};

} // namespace relais::gateway
