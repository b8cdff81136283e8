#pragma once

#include "clock/clock.hpp"
#include "inbox/cutter.hpp"
#include "inbox/invoke.hpp"
#include "inbox/slices.hpp"

#include <optional>
#include <span>
#include <vector>

namespace relais::inbox {

/// What a transaction did, for what follows its COMMIT.
struct batch_report {
    std::vector<outcome> outcomes;              ///< one for each event
    std::vector<events::snapshot_need> arrived; ///< wake who waits for them
    std::vector<held_key> waiting;              ///< keys that wait for snapshots now
    bool held_changed = false;
};

/// Some events of one partition, in their order.
struct batch {
    const place& at;
    const handlers& all;
    const clock& time;
    std::span<const incoming> events;
    bool compacted_topic = false;
    /// Set when Kafka began elsewhere than asked: what next_offset was; it is moved to the first
    /// event.
    std::optional<std::int64_t> reset_from;
    std::optional<slice> part; ///< whose keys these events have; nullopt: the whole partition's
};

/// Handles a batch in one transaction. `running` is where the events stand whose handler runs, and
/// stays set when it fails or throws: the batch is rolled back as a whole then.
result<batch_report> run_batch(pg::transaction& tx, const batch& work,
                               std::optional<stretch>& running);

/// Handles batches of several partitions, none of them a slice, in one transaction; a report each,
/// in the order of the batches. When anything fails, all of it is rolled back: each may be tried
/// alone.
result<std::vector<batch_report>> run_batches(pg::transaction& tx, std::span<const batch> works,
                                              std::optional<stretch>& running);

/// Parks the one event of the batch after its first attempt failed, or buries it.
result<batch_report> settle_failure(pg::transaction& tx, const batch& work, const error& reason,
                                    std::uint64_t random);

/// Parks all events, to be run from there one by one, each attempt counted before: for a partition
/// whose last starts ended in crashes.
result<batch_report> park_batch(pg::transaction& tx, const batch& work);

} // namespace relais::inbox
