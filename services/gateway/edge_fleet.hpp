#pragma once

#include "async/task_group.hpp"
#include "gateway/access/access_writer.hpp"
#include "gateway/access/request_metrics.hpp"
#include "gateway/edge.hpp"
#include "http/listener.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace relais::gateway {

/// The edges, one per event loop, as the control thread sees them: it accepts connections and hands
/// each to one of them, and tells all of them what changes.
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

    edge_fleet(std::size_t loops, std::size_t connections_max, boost::asio::io_context& control,
               surroundings given);

    /// `listen_h2c`: without a host, there is no such listener.
    result<void> start(const config::endpoint& listen, const config::endpoint& listen_h2c);
    /// Accepts until finish(); on the second listener clients speak HTTP/2 by prior knowledge.
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> accept_h2c();
    /// No more connections.
    void stop_accepting();
    /// Those that wait for a request end.
    void close_idle();
    /// Cuts off what is under way.
    void stop();

    /// Open connections, also those on their way to a loop.
    std::size_t clients() const {
        return static_cast<std::size_t>(std::max<std::ptrdiff_t>(clients_.load(), 0));
    }

    /// Asks one loop what goes on; it answers on the control thread, unless it has stopped.
    void look(std::size_t loop, std::function<void(loop_view)> answer);

    template <class Work>
    void tell_each(Work work) {
        for (const auto& each : edges_) {
            each->post([to = each.get(), work] { work(*to); });
        }
    }

private:
    boost::asio::awaitable<void> accept_on(http::listener& listener, client_wire speaks);
    void on_accepted(boost::asio::ip::tcp::socket socket, client_wire speaks);
    void ask_identity(edge& whose, std::string token, const trace::context& where,
                      std::function<void(result<introspection>)> answer);
    edge::outside outside_of(std::size_t index);

    boost::asio::io_context& control_;
    surroundings given_;
    std::size_t connections_max_;
    http::listener listener_;
    http::listener listener_h2c_;
    std::atomic<std::ptrdiff_t> clients_{0}; ///< of all edges, also on their way to one
    std::size_t next_edge_ = 0;
    shared_limits limits_;
    std::vector<std::unique_ptr<edge>> edges_;
};

} // namespace relais::gateway
