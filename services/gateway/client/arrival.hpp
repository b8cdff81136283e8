#pragma once

#include "gateway/channel/channel.hpp"
#include "gateway/client/arrival_metrics.hpp"
#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/client_address/ip_address.hpp"
#include "gateway/listeners/door.hpp"
#include "gateway/loop/edge_loop.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace relais::gateway {

class arrival;

/// Whose clients arrive.
class arrival_owner {
public:
    /// Whom it comes from is known: why it is not served, if it is not. May hold a place for it.
    virtual std::optional<error> admit(arrival& which, const ip_address& from) = 0;
    /// HTTP may begin, or the client gets this answer. Takes its channel, and its place.
    virtual void on_arrived(arrival& which, const std::optional<error>& refused) = 0;
    /// It came to nothing.
    virtual void on_lost(arrival& which) = 0;
    virtual bool is_trusted(const ip_address& peer) const = 0;

protected:
    ~arrival_owner() = default;
};

/// A client's connection before anything of HTTP: the PROXY header where there has to be one, then
/// the TLS handshake, both together within the listener's time. It reads exactly the header's bytes
/// and leaves what follows to TLS or HTTP.
class arrival final : public client_connection, channel::user {
public:
    arrival(edge_loop& loop, arrival_owner& owner, arrival_metrics& metrics, door& through,
            int descriptor, client_info info);
    ~arrival() override;

    /// Whether connections of this listener arrive at all, or begin with HTTP.
    static bool is_needed(const listener_settings& rules) {
        return rules.protocol == listener_protocol::https || rules.proxy != proxy_policy::off;
    }

    void start() override;
    void start_refused(const error& why) override;

    void announce_drain() override {}

    void close_idle() override;

    // For the owner, in on_arrived().
    channel& connection() {
        return channel_;
    }

    client_info& info() {
        return info_;
    }

    client_wire wire() const {
        return wire_;
    }

private:
    void on_bytes(std::size_t count) override;
    void on_end(bool orderly) override;

    void on_room() override {}

    void on_connected(const boost::system::error_code& failed) override;
    void on_timeout();

    bool take_proxy_header();
    void begin();
    void arrive(const std::optional<error>& refused);
    void lose(arrival_failure why);
    void end();

    arrival_owner& owner_;
    arrival_metrics& metrics_;
    door& door_;
    channel channel_;
    timer_wheel::entry timer_;
    client_info info_;
    std::string header_; ///< PROXY, as far as it came
    client_wire wire_ = client_wire::http1;
    bool over_ = false;
};

} // namespace relais::gateway
