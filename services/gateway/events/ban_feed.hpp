#pragma once

#include "clock/clock.hpp"
#include "gateway/limits/ban_list.hpp"
#include "kafka/broadcast_reader.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace relais::gateway {

struct ban_feed_settings {
    std::string kafka_brokers;
    std::string client_id;
    /// How long a process that has just started waits for the bans before it says that it is ready.
    std::chrono::milliseconds wait{2'000};
};

/// The bans in force, from edge.ban.events.v1: read from as far back as a ban can last at the
/// start, then as they come. While the broker is away those that are known stay in force. Control
/// thread.
class ban_feed {
public:
    using publish = std::function<void(std::shared_ptr<const ban_list>)>;

    /// `told` gets every new list; many changes at once are one.
    ban_feed(ban_feed_settings settings, publish told, const clock& time,
             boost::asio::io_context& loop, metrics::registry& metrics, log::logger logger);

    /// Reads until cancelled.
    boost::asio::awaitable<void> run();
    /// Forgets what has expired, until cancelled.
    boost::asio::awaitable<void> expire();

    void on_record(const kafka::record& record);

    std::size_t in_force() const {
        return bans_.size();
    }

    /// Asked by /readyz: no, until the bans are known or were waited for long enough. Without a
    /// broker the edge serves all the same.
    result<void> is_ready() const;

private:
    void set(ban added);
    void publish_soon();
    void publish_now();

    ban_feed_settings settings_;
    publish told_;
    const clock& time_;
    boost::asio::io_context& loop_;
    log::logger logger_;
    metrics::gauge in_force_;
    metrics::counter applied_;
    metrics::counter rejected_;
    kafka::broadcast_reader reader_;
    std::map<cidr, ban> bans_;
    bool publishing_ = false;
    std::chrono::steady_clock::time_point ready_at_;
};

} // namespace relais::gateway
