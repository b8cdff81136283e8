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

/// Buffers that were used are used again: a third of what an event cost was memory for its texts,
/// taken on one thread and given back on another. On the loop's thread.
class event_buffers {
public:
    event_buffers();

    /// A buffer comes back when its last owner lets go of it: workers that share a transaction
    /// share its events.
    std::shared_ptr<event_buffer> take();

private:
    using list = std::vector<std::unique_ptr<event_buffer>>;

    static void give_back(list& to, std::unique_ptr<event_buffer> used);

    std::shared_ptr<list> spare_; // seen by the buffers that are in use, which may outlive us
};

} // namespace relais::inbox
