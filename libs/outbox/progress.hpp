#pragma once

#include "outbox/relay_options.hpp"
#include "outbox/replication_message.hpp"
#include "outbox/server_link.hpp"

namespace relais::outbox {

/// The relay's SQL. Every function is one request (or one transaction) on the link.

/// A server, as IDENTIFY_SYSTEM names it. Either changes when another copy of the data goes on.
struct server_identity {
    std::string system_id;
    std::string timeline;
};

/// The row of outbox_progress.
struct progress {
    std::uint64_t epoch = 0;
    std::string system_id;
    std::string timeline;
    std::optional<std::string> published;    ///< pg_snapshot
    std::optional<std::string> published_at; ///< as the server writes it
    std::optional<timestamp> repair_since;
    std::string database;
    relay_mode mode = relay_mode::logical;
    std::size_t shards = 0; ///< when polling
};

boost::asio::awaitable<link_result<progress>> read_progress(server_link& sql);

/// `relais_outbox_<database>_<epoch>`. Slots live in the whole cluster, hence the database's name;
/// each epoch has its own, hence a slot cannot be taken for that of another epoch.
std::string slot_name(const progress& of);

struct slot_state {
    bool exists = false;
    bool active = false; ///< another relay reads it
    bool lost = false;   ///< the server removed log that it needs
    std::int64_t lag_bytes = 0;
};

boost::asio::awaitable<link_result<slot_state>> look_at_slot(server_link& sql, std::string name);

/// Partitions of the next days, and away with old ones.
boost::asio::awaitable<link_result<void>> maintain_partitions(server_link& sql);

/// The epoch to begin: epochs grow even when an old backup was restored, hence the time in them.
boost::asio::awaitable<link_result<std::uint64_t>> next_epoch(server_link& sql);

/// Statements that list in outbox_repair what may not have been published ($1: system identifier),
/// and begin an epoch ($1: number, $2: system identifier, $3: timeline, $4: mode, $5: shards). Run
/// in one transaction, with one snapshot.
extern const std::string_view list_unpublished_sql;
extern const std::string_view begin_epoch_sql;

/// A moment such that whoever has published everything up to `position` has published all that
/// `snapshot` sees: the snapshot is taken first, and a transaction it sees has its commit in the
/// log.
struct moment {
    std::string snapshot;
    lsn position = 0;
};

boost::asio::awaitable<link_result<moment>> take_moment(server_link& sql);

boost::asio::awaitable<link_result<void>> save_published(server_link& sql, std::uint64_t epoch,
                                                         std::string snapshot);

/// Committed events that are not known to be published: how many (counted up to 100,000).
boost::asio::awaitable<link_result<std::size_t>> count_unpublished(server_link& sql);

/// Something in the log for the slot to move on, when nothing else happens in this database.
boost::asio::awaitable<link_result<void>> heartbeat(server_link& sql);

} // namespace relais::outbox
