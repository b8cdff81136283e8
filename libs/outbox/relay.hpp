#pragma once

#include "kafka/producer.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "outbox/relay_options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace relais::outbox {

struct relay_settings {
    std::string service;      ///< "web-api"; names slot (relais_outbox_<service>) and x-src
    std::string database_url; ///< role with REPLICATION
    kafka::producer_settings producer;
    relay_options options;
    std::chrono::milliseconds standby_retry{500}; ///< how often a standby asks for the slot
};

/// Publishes the outbox by logical replication (pgoutput over a replication connection). The slot
/// admits one reader, so other instances wait as standbys. The position is confirmed only when
/// every delivery up to it succeeded; after a crash the rest is sent again and consumers drop it by
/// position. A lost slot is made again with a new epoch and what was not yet published is taken
/// from the table. An event that Kafka refuses for good is written down (outbox_blocked); the rest
/// waits for it or goes on, as the options say. Metrics: outbox_*.
class relay {
public:
    relay(relay_settings settings, boost::asio::io_context& loop, metrics::registry& metrics,
          log::logger logger);
    ~relay();

    /// Runs until cancelled; outages of database and broker are waited out.
    boost::asio::awaitable<void> run();

    enum class state { starting, standby, streaming, waiting, blocked };
    state current() const;

    /// A transaction that was committed, and a position of the log behind its COMMIT.
    struct committed {
        std::uint64_t xid = 0;
        std::uint64_t position = 0;
    };

    /// Whether this instance has published the transaction's events, as far as they are its own to
    /// publish (when polling, others may have shards). False while it does not publish.
    bool has_published(const committed& what) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::outbox
