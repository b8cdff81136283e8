#pragma once

#include "config/reader.hpp"

#include <chrono>
#include <cstddef>

namespace relais::outbox {

/// What becomes of an event that Kafka refuses for good.
enum class refused_policy {
    block,  ///< nothing behind it is published until somebody has mended the cause
    divert, ///< it goes to outbox_refused, and the rest goes on without it
};

/// How the relay learns of committed events.
enum class relay_mode {
    logical, ///< from the write-ahead log: wal_level = logical, a role with REPLICATION
    polling, ///< asks every few milliseconds: any server, more load, later by those milliseconds
};

/// What whoever runs a service may choose about its relay.
struct relay_options {
    refused_policy refused = refused_policy::block;
    relay_mode mode = relay_mode::logical;
    std::size_t shards = 4; ///< polling: into how many parts the partitions are divided
    std::chrono::milliseconds poll_busy{5};        ///< polling: the wait after something was found
    std::chrono::milliseconds poll_idle{50};       ///< the longest wait while nothing is
    std::size_t bulk_batch = 100;                  ///< events that bulk work moves at a time
    std::chrono::milliseconds bulk_lag_max{5'000}; ///< bulk work waits while the relay is later
};

/// RELAIS_OUTBOX_*
relay_options read_relay_options(config::reader& from);

} // namespace relais::outbox
