#pragma once

#include "outbox/replication_message.hpp"
#include "postgres/transaction.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::outbox {

/// SQL of bulk work (outbox_bulk).

/// A transaction that moved events, for relay::has_published().
struct moved_batch {
    std::size_t count = 0;
    std::uint64_t xid = 0;
};

/// Moves the next events into outbox_event, in the order of their turns: `at_most` of them, or
/// about 8 MiB. nullopt: another instance is at it, whose transaction must end first, else its
/// events could come behind ours.
std::optional<moved_batch> move_bulk(pg::transaction& tx, std::size_t at_most);

/// Whether publishing stands still or is late, whichever instance publishes: an event is refused,
/// or the oldest one that is not known to be published is older than this.
bool relay_lags(pg::transaction& tx, std::chrono::milliseconds limit);

/// The end of the log on the disc. Asked for after a COMMIT it is at or behind it.
lsn flushed_position(pg::transaction& tx);

struct staged {
    std::int64_t count = 0;
    std::optional<timestamp> oldest;
};

/// All tenants together, counted up to a million.
staged count_staged(pg::transaction& tx);

struct tenant_staged {
    std::string tenant;
    std::int64_t count = 0;
    timestamp oldest;
};

/// The tenants that have most staged, most first.
std::vector<tenant_staged> list_staged(pg::transaction& tx, std::size_t at_most);

} // namespace relais::outbox
