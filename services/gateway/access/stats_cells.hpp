#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace relais::gateway {

/// Adds to a figure that only this thread writes: a load and a store, no locked instruction.
inline void add_alone(std::atomic<std::uint64_t>& to, std::uint64_t by) noexcept {
    to.store(to.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// A histogram of durations: one thread writes, any reads. Bounds as metrics::request_seconds()
/// (a test compares them).
class duration_cells {
public:
    static constexpr std::array<std::int32_t, 16> bounds_us{
        1'000,   2'500,   5'000,   10'000,    25'000,    50'000,    75'000,    100'000,
        250'000, 500'000, 750'000, 1'000'000, 2'500'000, 5'000'000, 7'500'000, 10'000'000};
    static constexpr std::size_t buckets = bounds_us.size() + 1;

    /// A negative duration counts as 0.
    void observe(std::chrono::microseconds duration) noexcept {
        const std::int64_t us = duration.count() < 0 ? 0 : duration.count();
        const auto compared = static_cast<std::int32_t>(std::min<std::int64_t>(us, longest_us));
        std::int32_t bucket = 0;
        for (const std::int32_t bound : bounds_us) { // all of them, four at a time
            bucket += compared > bound ? 1 : 0;
        }
        add_alone(counts_[static_cast<std::size_t>(bucket)], 1);
        add_alone(sum_us_, static_cast<std::uint64_t>(us));
    }

    /// Not cumulative; the last one is above all bounds.
    std::uint64_t count(std::size_t bucket) const noexcept {
        return counts_[bucket].load(std::memory_order_relaxed);
    }

    std::uint64_t sum_us() const noexcept {
        return sum_us_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::int64_t longest_us = bounds_us.back() + 1; ///< in the last bucket

    std::array<std::atomic<std::uint64_t>, buckets> counts_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

/// Cells that one thread appends and any thread reads, while it appends. They do not move.
template <class Cell>
class append_only {
public:
    explicit append_only(std::size_t capacity)
        : capacity_(capacity), blocks_(std::make_unique<std::atomic<block*>[]>(
                                   (capacity + block_size - 1) / block_size)) {}

    ~append_only() {
        for (std::size_t i = 0; i * block_size < size_.load(std::memory_order_relaxed); ++i) {
            delete blocks_[i].load(std::memory_order_relaxed);
        }
    }

    append_only(const append_only&) = delete;
    append_only& operator=(const append_only&) = delete;

    /// The writing thread: makes a cell, lets `fill` set it, then shows it. nullptr: it is full, or
    /// there is no memory.
    template <class Fill>
    Cell* append(Fill fill) noexcept {
        const std::size_t next = size_.load(std::memory_order_relaxed);
        if (next == capacity_) {
            return nullptr;
        }
        auto& in = blocks_[next / block_size];
        if (next % block_size == 0) {
            auto* const made = new (std::nothrow) block();
            if (made == nullptr) {
                return nullptr;
            }
            in.store(made, std::memory_order_relaxed); // size_ shows it
        }
        Cell& cell = in.load(std::memory_order_relaxed)->cells[next % block_size];
        fill(cell);
        size_.store(next + 1, std::memory_order_release);
        return &cell;
    }

    /// Cells below this are there.
    std::size_t size() const noexcept {
        return size_.load(std::memory_order_acquire);
    }

    const Cell& operator[](std::size_t index) const noexcept {
        return blocks_[index / block_size]
            .load(std::memory_order_relaxed)
            ->cells[index % block_size];
    }

private:
    static constexpr std::size_t block_size = 64;

    struct block {
        std::array<Cell, block_size> cells;
    };

    std::size_t capacity_;
    std::unique_ptr<std::atomic<block*>[]> blocks_; ///< owned
    std::atomic<std::size_t> size_{0};
};

} // namespace relais::gateway
