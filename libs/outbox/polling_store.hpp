#pragma once

#include "outbox/outgoing.hpp"
#include "outbox/progress.hpp"

#include <vector>

namespace relais::outbox {

/// SQL of the relay that polls. All of it runs in the session that holds the locks.

/// Publishers of either mode share this lock; whoever changes mode, shards or server takes it
/// alone.
enum class mode_lock { shared, alone };

boost::asio::awaitable<link_result<bool>> try_lock(server_link& sql, mode_lock how);
boost::asio::awaitable<link_result<void>> unlock(server_link& sql, mode_lock how);

/// The server that the link leads to: system identifier and timeline, as progress has them.
boost::asio::awaitable<link_result<server_identity>> identify_by_sql(server_link& sql);

/// Begins a new epoch in polling mode: lists what may not have been published (outbox_repair) and
/// makes the shards, all by one snapshot. Needs the lock alone.
boost::asio::awaitable<link_result<void>> enter_polling(server_link& sql, std::size_t shards,
                                                        server_identity server);

/// What the topics file says, for rows that do not know their partition.
boost::asio::awaitable<link_result<void>> save_topics(server_link& sql);

/// Only one instance publishes a repair.
boost::asio::awaitable<link_result<bool>> try_lock_repair(server_link& sql);
boost::asio::awaitable<link_result<void>> unlock_repair(server_link& sql);

struct shard {
    int number = 0;
    std::string seen; ///< pg_snapshot
};

/// Takes the shards that nobody has; `held` are ours already. The lock ends with the session.
boost::asio::awaitable<link_result<std::vector<shard>>> take_shards(server_link& sql,
                                                                    std::vector<int> held);

/// An event with its place.
struct assigned_event {
    lsn position = 0;
    std::uint32_t index = 0;
    timestamp written_at{};
    outgoing event;
};

boost::asio::awaitable<link_result<std::string>> current_snapshot(server_link& sql);

struct round_request {
    std::vector<int> shards; ///< which have all seen the same
    std::string seen;
    lsn delivered = 0; ///< what was assigned up to here is not needed any more
    std::size_t rows_max = 0;
};

struct round {
    std::string seen; ///< now
    std::uint64_t epoch = 0;
    std::size_t count = 0;              ///< events assigned
    lsn position = 0;                   ///< theirs; 0: none
    std::vector<assigned_event> events; ///< all of them, or none if there are more than rows_max
};

/// Writes down positions for what has been committed since, in one statement: durable on return.
boost::asio::awaitable<link_result<round>> assign(server_link& sql, round_request what);

/// What is written down and not known to be delivered, in order.
boost::asio::awaitable<link_result<std::vector<assigned_event>>>
read_assigned(server_link& sql, std::vector<int> shards, std::size_t at_most);

/// Up to and with this one.
boost::asio::awaitable<link_result<void>> forget_assigned(server_link& sql, std::vector<int> shards,
                                                          lsn position, std::uint32_t index);

/// All that the snapshot sees is delivered, as far as these shards go.
boost::asio::awaitable<link_result<void>>
save_shards(server_link& sql, std::uint64_t epoch, std::vector<int> shards, std::string snapshot);

} // namespace relais::outbox
