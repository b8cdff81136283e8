#pragma once

#include "gateway/access/access_record.hpp"
#include "gateway/access/doorbell.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace relais::gateway {

/// Carries records from the loop that serves requests to the thread that writes them. One thread
/// pushes, one takes; neither waits for the other. A record that finds no room is dropped and
/// counted. Half a kilobyte a record, all of it touched at the start.
class access_ring {
public:
    /// `capacity` is rounded up to a power of two, at least 4. The bell is rung when a quarter is
    /// full.
    access_ring(std::size_t capacity, doorbell& bell);
    access_ring(const access_ring&) = delete;
    access_ring& operator=(const access_ring&) = delete;

    /// The pushing thread. A copy of the record and two writes to memory; a system call only when
    /// the ring is a quarter full and its reader sleeps. False: it is full.
    bool push(const access_record& record) noexcept;

    /// The taking thread: calls `each` for at most so many records, oldest first; returns how many.
    template <class Each>
    std::size_t take(std::size_t at_most, Each each) {
        const std::uint64_t head = head_.load(std::memory_order_acquire);
        std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        std::size_t taken = 0;
        for (; tail != head && taken < at_most; ++taken) {
            each(slots_[tail & mask_]);
            // At once, not at the end: a ring that is full gets room soon.
            tail_.store(++tail, std::memory_order_release);
        }
        return taken;
    }

    /// Any thread; an estimate for all but the taking one, for whom there are at least so many.
    std::size_t size() const noexcept;

    bool is_quarter_full() const noexcept {
        return size() >= quarter_;
    }

    std::size_t capacity() const noexcept {
        return mask_ + 1;
    }

    /// Records that found no room, since the start. Any thread.
    std::uint64_t dropped() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    struct alignas(64) slot : access_record {};

    alignas(64) std::atomic<std::uint64_t> head_{0}; ///< written by the pushing thread
    std::uint64_t seen_tail_ = 0;                    ///< its last look at tail_
    std::atomic<std::uint64_t> dropped_{0};
    std::uint64_t mask_;
    std::uint64_t quarter_;
    std::unique_ptr<slot[]> slots_;
    doorbell& bell_;
    alignas(64) std::atomic<std::uint64_t> tail_{0}; ///< written by the taking thread
};

} // namespace relais::gateway
