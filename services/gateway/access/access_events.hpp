#pragma once

#include "gateway/access/access_names.hpp"
#include "gateway/access/access_record.hpp"
#include "gateway/access/access_settings.hpp"
#include "kafka/producer.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace relais::edge::v1 {
class AccessLogged;
}

namespace relais::gateway {

/// gateway_access_dropped_total{cause}.
metrics::counter access_dropped(metrics::registry& metrics, const char* cause);

/// Fills the message in. The client's address is cut to its network: events hold no more. `weight`:
/// how many requests it stands for.
void fill_in(edge::v1::AccessLogged& message, const access_record& record,
             const access_names& names, std::string_view instance, double weight);

/// Publishes records on edge.access.events.v1 with a producer of its own. Never waits: while the
/// broker is away and the queue is full, events are dropped and counted
/// (gateway_access_dropped_total). All on the thread that runs the loop, but for the constructor
/// and the destructor, which may run while nobody runs it.
class access_events {
public:
    /// Throws when librdkafka takes none of the settings. `settings` and `names` must outlive this.
    access_events(const access_settings& settings, const access_names& names,
                  boost::asio::io_context& loop, metrics::registry& metrics, log::logger logger);

    void publish(const access_record& record, double weight);

    /// Events that the broker has not yet answered for.
    std::size_t in_flight() const;

    /// Gives up what is in flight, and counts it.
    void abandon();

private:
    bool has_budget(std::chrono::steady_clock::time_point now);
    bool has_producer(std::chrono::steady_clock::time_point now);

    const access_settings& settings_;
    const access_names& names_;
    boost::asio::io_context& loop_;
    metrics::registry& metrics_;
    log::logger logger_;
    metrics::counter sent_;
    metrics::counter broker_; ///< dropped: the broker's doing
    metrics::counter budget_; ///< dropped: too many
    std::optional<kafka::producer> producer_;
    std::chrono::steady_clock::time_point retry_at_{}; ///< of making another producer
    std::chrono::steady_clock::time_point second_began_{};
    std::uint32_t in_second_ = 0;
};

} // namespace relais::gateway
