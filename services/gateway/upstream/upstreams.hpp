#pragma once

#include "async/task_group.hpp"
#include "gateway/proxy/stream.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/balancer.hpp"
#include "http/client.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// A connection to an instance, for one exchange.
struct upstream_connection {
    stream connection;
    std::size_t instance = 0;
    bool reused = false;
};

/// One service: its instances, their health, and idle connections to them.
class upstream {
public:
    upstream(const upstream_service& service, boost::asio::io_context& loop,
             http::deadline_watch& deadlines, metrics::registry& metrics, log::logger logger);

    /// A connection to a healthy instance, an idle one if there is (unless `fresh`). While no
    /// instance can be connected to, tries on until the deadline: a service that restarts is waited
    /// for. The caller gives it back with release() or drop(). Error: `unavailable` /
    /// "no-healthy-upstream".
    boost::asio::awaitable<result<upstream_connection>>
    acquire(bool fresh, std::chrono::steady_clock::time_point until);

    /// The exchange ended cleanly and nothing is left on the connection.
    void release(upstream_connection used);
    /// The exchange ended in doubt: the connection is closed.
    void drop(upstream_connection used);

    /// From the request's last byte to the answer's head.
    void observe_answer(std::chrono::steady_clock::duration took);

    /// Asks each instance's /readyz twice a second; runs until cancelled.
    boost::asio::awaitable<void> watch_health();

    const std::string& name() const {
        return name_;
    }

    bool is_usable() const;
    /// Clients for calls of the gateway's own (introspection), one per instance.
    std::vector<http::client*> clients();

private:
    struct idle_connection {
        stream connection;
        std::chrono::steady_clock::time_point until;
    };

    struct instance {
        boost::asio::ip::tcp::endpoint address;
        std::unique_ptr<http::client> service_client;
        std::unique_ptr<http::client> admin_client;
        std::vector<idle_connection> idle;
        metrics::gauge healthy;
        bool ready = true;
    };

    std::optional<stream> take_idle(std::size_t which);
    boost::asio::awaitable<result<upstream_connection>> try_once(bool fresh,
                                                                 std::optional<std::size_t>& tried);
    boost::asio::awaitable<void> check(std::size_t which);

    std::string name_;
    boost::asio::io_context& loop_;
    http::deadline_watch& deadlines_;
    log::logger logger_;
    balancer balancer_;
    std::vector<instance> instances_;
    metrics::histogram connect_seconds_;
    metrics::histogram service_seconds_;
    metrics::counter connects_;
    metrics::counter reuses_;
};

} // namespace relais::gateway
