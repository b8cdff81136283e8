#pragma once

#include "inbox/plan.hpp"
#include "kafka/consumer.hpp"
#include "postgres/transaction.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace relais::inbox {

/// Whose inbox, and which partition.
struct place {
    std::string group;
    kafka::topic_partition where;
};

/// A record with its envelope, or the reason why that could not be read.
struct incoming {
    kafka::message record;
    result<events::event> event;
};

/// Valid as long as the records.
std::vector<incoming> read_envelopes(const kafka::fetched& records);

/// One partition's row.
struct partition_state {
    watermark mark;
    std::int64_t held_keys = 0;
    std::int64_t fruitless_starts = 0;
};

struct loaded_partition {
    kafka::topic_partition where;
    partition_state state;
    int slices = 0; ///< that a process before us left behind (slices.hpp)
};

#define RELAIS_STATE_COLUMNS                                                                       \
    "source, epoch, lsn, idx, recent, next_offset, held_keys, fruitless_starts"
/// Of a row that begins with these.
partition_state read_state(const pg::row& row, int first = 0);

// Statements, one function each; all throw pg::failure.

/// At the start of an assignment: makes missing rows and counts the start.
std::vector<loaded_partition> begin_partitions(pg::transaction& tx, const std::string& group,
                                               const std::vector<kafka::topic_partition>& all);
/// At an orderly end: what was started did not crash.
void end_partitions(pg::transaction& tx, const std::string& group,
                    const std::vector<kafka::topic_partition>& all);

/// Locks the row until the end of the transaction: everything that concerns a partition does this
/// first, so a second instance that believes to own it waits, and then sees what was done.
partition_state lock_partition(pg::transaction& tx, const place& at);
void save_partition(pg::transaction& tx, const place& at, const partition_state& state);

/// Both for several partitions of a group, each by one statement; states in the order of the
/// places. Rows are locked in the order of their names, so that two who lock cannot wait for each
/// other.
std::vector<partition_state> lock_partitions(pg::transaction& tx, const std::vector<place>& places);
void save_partitions(pg::transaction& tx, const std::vector<place>& places,
                     const std::vector<partition_state>& states);

/// The ids that were not there before; notes them.
std::set<event_id> note_seen(pg::transaction& tx, const std::string& group,
                             const std::set<event_id>& ids);
/// Makes the partitions of the coming days, and forgets ids older than topics keep their records.
void maintain_seen(pg::transaction& tx, int kept_days);
/// Forgets some ids of a group that is not needed any more; how many.
std::size_t forget_group(pg::transaction& tx, const std::string& group);

snapshot_versions find_snapshots(pg::transaction& tx, const std::string& group,
                                 const std::vector<events::snapshot_need>& needs);
/// Takes the version if it is newer than what is there.
bool take_version(pg::transaction& tx, const std::string& group, const std::string& kind,
                  const std::string& id, std::uint64_t version);
void erase_version(pg::transaction& tx, const std::string& group, const std::string& kind,
                   const std::string& id);

/// Those of the keys that are held.
std::set<std::string> find_held(pg::transaction& tx, const place& at,
                                const std::set<std::string>& keys);

} // namespace relais::inbox
