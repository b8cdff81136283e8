#pragma once

#include "gateway/access/access_names.hpp"
#include "gateway/live/loop_view.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "gateway/tls/tls_client.hpp"
#include "gateway/upstream/balancer.hpp"
#include "gateway/upstream/circuit.hpp"
#include "gateway/upstream/upstream_connection.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace relais::gateway {

/// Whoever waits for a connection to a service.
class connection_user {
public:
    virtual void on_connection(upstream_connection& got) = 0;
    /// The instance could not be connected to, or (SIZE_MAX) there is none.
    virtual void on_connect_failed(std::size_t instance) = 0;
    /// It waited, and may now ask again.
    virtual void on_turn() = 0;

protected:
    ~connection_user() = default;
};

struct service_settings {
    std::string name;
    std::uint16_t label = name_table::none; ///< of the name, in access_names
    /// Exchanges of this loop at a time. Above it requests wait, in order.
    std::size_t in_flight_max = 1024;
    std::size_t waiting_max = 1024;
};

struct service_metrics {
    metrics::counter connects;
    metrics::counter reuses;
    metrics::counter connect_failures;
    metrics::counter ports_exhausted; ///< EADDRNOTAVAIL: no local port left
    metrics::counter handshakes_failed;
    metrics::counter retries;
    metrics::counter retries_refused; ///< by the budget
    metrics::counter hedges;
    metrics::counter hedges_won;
    metrics::counter hedges_refused; ///< by the budget
};

service_metrics service_metrics_of(const std::string& name, metrics::registry& metrics);

/// One service as one event loop sees it: its instances, how they do, and connections to them.
/// Health comes from outside (report_ready()); load and failures are this loop's own.
class service {
public:
    /// Shorter than a service keeps an idle connection (95 s): the side that sends must not be
    /// surprised.
    static constexpr std::chrono::seconds idle_max{60};
    static constexpr std::chrono::seconds answer_silence_max{60};
    static constexpr std::chrono::seconds tunnel_silence_max{600};

    service(edge_loop& loop, service_settings settings, service_metrics metrics,
            name_table& instance_names);
    ~service();
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    /// The instances from now on. One that stays keeps its connections and its history; what runs
    /// on one that goes away is finished.
    void set_instances(const std::vector<boost::asio::ip::tcp::endpoint>& now);
    void report_ready(const boost::asio::ip::tcp::endpoint& where, bool ready);

    /// Told why a handshake failed.
    using report_failed_handshake =
        std::function<void(const std::string& service, std::string_view reason, std::string text)>;

    /// New connections go through TLS by this, to an instance that proves this name; nullptr:
    /// without TLS. The client outlives the service.
    void secure(const tls_client* by, const std::string& server_name,
                report_failed_handshake report);

    struct wish {
        bool fresh = false;        ///< no connection that was used before
        bool now_or_never = false; ///< rather none than one to wait for
        bool careful = false; ///< the request cannot be sent twice: ask the kernel before reuse
        std::span<const std::size_t> not_these; ///< instances that failed already
    };

    /// A connection for one exchange, perhaps within this call. Given back by release(). False:
    /// as many as may wait do.
    bool acquire(connection_user& who, const wish& what);
    /// The user waits no longer.
    void give_up(connection_user& who);

    /// The service has nothing to do with this exchange any more, only the client has to take what
    /// came: others may have its turn. The connection stays until release() or drop().
    void give_back_place(upstream_connection& used);

    /// The exchange on it is over. `took`: until its head came, when it did.
    void release(upstream_connection& used, std::optional<std::chrono::nanoseconds> took);
    /// It ended in doubt: the connection is closed.
    void drop(upstream_connection& used);

    /// Whether a request may be sent once more: a fifth as many as are sent for the first time, so
    /// that a service in trouble does not get a multiple of its usual load from us. Spends it.
    bool may_retry();
    /// The same for one that is sent to a second instance while the first still may answer.
    bool may_hedge();

    void note_hedge_won() {
        metrics_.hedges_won.increment();
    }

    /// Whether requests wait for this one to answer at all; see circuit.
    circuit& breaker() {
        return circuit_;
    }

    /// It waits until another exchange is over.
    bool is_waiting(const connection_user& who) const {
        return std::ranges::find(waiting_, &who) != waiting_.end();
    }

    /// Bytes of a body that goes to an instance, or (negative) that do no longer.
    void add_bytes(std::size_t instance, std::int64_t bytes) {
        balancer_.add_bytes(instance, bytes);
    }

    /// The instance answered that it cannot, or broke off.
    void report_failure(std::size_t instance);
    /// It has not answered for so long.
    void report_waiting(std::size_t instance, std::chrono::nanoseconds so_far);

    bool has_usable() const;

    service_view look(std::chrono::steady_clock::time_point now) const;

    std::size_t instances() const {
        return balancer_.size();
    }

    const std::string& name() const {
        return settings_.name;
    }

    std::uint16_t label() const {
        return settings_.label;
    }

    std::uint16_t instance_label(std::size_t instance) const {
        return places_[instance].label;
    }

private:
    friend class upstream_connection;

    static constexpr double retries_reserve = 10;
    static constexpr double retries_share = 0.2;

    struct pending_connect {
        upstream_connection* connection;
        connection_user* who; ///< nobody: gave up
        std::chrono::steady_clock::time_point began;
    };

    void on_connected(upstream_connection& which, const boost::system::error_code& failed);
    channel::make_session security_for(const boost::asio::ip::tcp::endpoint& where);
    void note_failed_handshake(const upstream_connection& which);
    /// An idle connection is of no use any more.
    void lose(upstream_connection& which);

    upstream_connection* take_idle(std::size_t instance, bool careful);
    void open(std::size_t instance, connection_user& who);
    void bury(upstream_connection& which);
    void leave();
    bool still_counts(upstream_connection& used);
    bool spend_retry();

    struct per_instance {
        boost::asio::ip::tcp::endpoint address;
        std::uint16_t label = name_table::none; ///< of the address
        bool gone = false;
        std::size_t connections = 0;            ///< all, also idle ones
        std::vector<upstream_connection*> idle; ///< the youngest last
    };

    edge_loop& loop_;
    service_settings settings_;
    service_metrics metrics_;
    /// Before the connections, whose sessions use them; those that were replaced stay.
    std::vector<std::unique_ptr<tls_connector>> connectors_;
    const tls_client* secured_by_ = nullptr;
    std::string server_name_;
    report_failed_handshake report_failed_handshake_;
    std::string last_failure_;
    std::chrono::steady_clock::time_point failure_reported_;
    name_table& instance_names_;
    balancer balancer_;
    circuit circuit_;
    std::vector<per_instance> places_;
    std::vector<std::unique_ptr<upstream_connection>> all_;
    std::vector<pending_connect> connecting_;
    std::deque<connection_user*> waiting_;
    double retries_left_ = retries_reserve;
    std::size_t in_flight_ = 0; ///< exchanges with a connection, or that are getting one
};

} // namespace relais::gateway
