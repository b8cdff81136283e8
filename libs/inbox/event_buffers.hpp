#pragma once

#include "inbox/store.hpp"

#include <memory>
#include <span>
#include <vector>

namespace relais::inbox {

/// The events of a transaction, read from the records of one or more partitions.
class event_buffer {
public:
    /// Appends what is in these records; valid as long as they are.
    void read(const kafka::fetched& records);

    /// In the order in which they were read.
    std::span<incoming> events() {
        return std::span(slots_).first(used_);
    }

private:
    friend class event_buffers;

    std::size_t capacity_bytes() const;

    std::vector<incoming> slots_;
    std::size_t used_ = 0;
};

/// Buffers that were used are used again, because half of what an event costs otherwise is memory
/// for its texts, taken on one thread and given back on another. On the loop's thread.
class event_buffers {
public:
    /// A buffer comes back when its last owner lets go of it: workers that share a transaction
    /// share its events. This must outlive them all.
    std::shared_ptr<event_buffer> take();

private:
    void give_back(std::unique_ptr<event_buffer> used);

    std::vector<std::unique_ptr<event_buffer>> spare_;
};

} // namespace relais::inbox
