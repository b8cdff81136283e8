#pragma once

#include "clock/clock.hpp"
#include "gateway/limits/ban_list.hpp"
#include "kafka/record.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>

namespace relais::gateway {

/// The bans in force, from the records of edge.ban.events.v1. While the broker is away those that
/// are known stay in force. Control thread.
class ban_feed {
public:
    static constexpr const char* topic = "edge.ban.events.v1";
    /// How far back it is to be read at the start. A ban lasts at most 90 days (relaisctl bans);
    /// the rest is for clocks that differ.
    static constexpr std::chrono::hours read_back{91 * 24};

    using publish = std::function<void(std::shared_ptr<const ban_list>)>;

    /// `told` gets every new list; many changes at once are one. `wait`: how long a process that
    /// has just started waits for the bans before it says that it is ready.
    ban_feed(std::chrono::milliseconds wait, publish told, const clock& time,
             boost::asio::io_context& loop, metrics::registry& metrics, log::logger logger);

    /// Forgets what has expired, until cancelled.
    boost::asio::awaitable<void> expire();

    void on_record(const kafka::record& record);

    std::size_t in_force() const {
        return bans_.size();
    }

    /// Asked by /readyz: no, until the bans are known, which whoever reads the topic knows, or were
    /// waited for long enough. Without a broker the edge serves all the same.
    result<void> is_ready(bool known) const;

private:
    void set(ban added);
    void publish_soon();
    void publish_now();

    publish told_;
    const clock& time_;
    boost::asio::io_context& loop_;
    log::logger logger_;
    metrics::gauge in_force_;
    metrics::counter applied_;
    metrics::counter rejected_;
    std::map<cidr, ban> bans_;
    bool publishing_ = false;
    std::chrono::steady_clock::time_point ready_at_;
};

} // namespace relais::gateway
