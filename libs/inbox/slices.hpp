#pragma once

#include "inbox/store.hpp"

#include <string_view>

namespace relais::inbox {

/// A part of a partition's keys that is handled beside the others. Each has a mark of its own while
/// a batch is under way; when all of them are through, level() moves the partition's.
struct slice {
    int index = 0;
    int count = 1;      ///< of all slices; stays the same until they are level
    std::string source; ///< whose positions count in this partition, for all slices alike
};

/// Which slice a key belongs to. Not from the bits that chose the partition.
int slice_of(std::string_view key, int count);

// Statements; all throw pg::failure.

/// Locks the slice until the end of the transaction, as lock_partition() does for all of them;
/// several slices may be locked at a time, but nobody can move the partition meanwhile. held_keys
/// counts those of the partition, too.
partition_state lock_slice(pg::transaction& tx, const place& at, const slice& part);
void save_slice(pg::transaction& tx, const place& at, const slice& part,
                const partition_state& state);

enum class levelled {
    done,
    not_yet, ///< a slice went further in an earlier life
    moved    ///< somebody else moved the partition since
};

/// All slices have handled what `mark` stands for: the partition moves there from `base`, and is
/// whole again.
levelled level(pg::transaction& tx, const place& at, std::optional<std::int64_t> base,
               const watermark& mark);

/// The topic was made anew: what slices know of the old one is gone.
void drop_slices(pg::transaction& tx, const place& at);

/// Into how many slices the partitions were divided when their process ended; 0: they were level.
std::map<kafka::topic_partition, int> find_slices(pg::transaction& tx, const std::string& group);

} // namespace relais::inbox
