#pragma once

#include "gateway/limits/subject_hash.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace relais::gateway {

/// One of a subject's places in a concurrency_table, given back when this goes away. Moves only.
/// The table must outlive it; any thread may give it back.
class concurrency_permit {
public:
    concurrency_permit() = default; ///< holds nothing

    concurrency_permit(concurrency_permit&& other) noexcept
        : slot_(std::exchange(other.slot_, nullptr)) {}

    concurrency_permit& operator=(concurrency_permit&& other) noexcept {
        if (this != &other) {
            release();
            slot_ = std::exchange(other.slot_, nullptr);
        }
        return *this;
    }

    concurrency_permit(const concurrency_permit&) = delete;
    concurrency_permit& operator=(const concurrency_permit&) = delete;

    ~concurrency_permit() {
        release();
    }

    /// Gives the place back now; once, whatever is called later.
    void release() {
        if (auto* slot = std::exchange(slot_, nullptr)) {
            // The count is in the lowest bits and at least this one's 1.
            slot->fetch_sub(1);
        }
    }

    /// Whether it holds a place; not for one that passed uncounted.
    bool is_counted() const {
        return slot_ != nullptr;
    }

private:
    friend class concurrency_table;

    explicit concurrency_permit(std::atomic<std::uint64_t>* slot) : slot_(slot) {}

    std::atomic<std::uint64_t>* slot_ = nullptr;
};

/// How many of something a subject has at the same time: connections of an address, uploads of an
/// account. Shared by the event loops as limit_table is: fixed memory, 8 bytes a slot in sets of
/// eight (65,536 slots: 512 KiB), no locks, any thread.
///
/// A slot is one word of a keyed hash and the count; a subject without any holds no slot. A slot in
/// use is never given to another subject, so no count is lost and none goes below zero. When all
/// eight of a set are in use a new subject passes without being counted: refusing it would let
/// whoever brings enough subjects lock the others out, and the limit on all connections holds
/// anyway. With twice as many slots as things in flight that is one in twenty of new subjects, with
/// four times as many one in a thousand.
///
/// The limit is exact, but for the instant in which a new subject's first two requests meet in a
/// set that changes: then each thread may have one more.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the counter has a line of its own
class concurrency_table {
public:
    /// `slots` is rounded up to a power of two, at least one set.
    explicit concurrency_table(std::size_t slots, subject_hash hash = subject_hash());

    /// The most that can be counted for a subject; a greater `max` is this.
    static constexpr std::uint32_t count_max = 0xffff;

    /// A place for the subject, or nothing when it has `max` already.
    std::optional<concurrency_permit> acquire(std::uint32_t limit, std::string_view subject,
                                              std::uint32_t max);

    /// What the subject has now.
    std::uint32_t in_flight(std::uint32_t limit, std::string_view subject) const;

    std::size_t slots() const;

    /// Slots in use. Reads the whole table: for a scrape, not for a request.
    std::size_t used() const;

    /// How often somebody passed uncounted, since the start.
    std::uint64_t uncounted() const {
        return uncounted_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t ways = 8;

    struct alignas(64) set {
        std::array<std::atomic<std::uint64_t>, ways> words; ///< who, and how many
    };

    enum class outcome : std::uint8_t { taken, refused, full, again, outrun };

    static std::uint32_t count_of(const set& among, std::uint64_t key);
    static outcome try_take(set& among, std::uint64_t key, std::uint32_t max,
                            std::atomic<std::uint64_t>*& slot);
    static outcome start(set& among, std::size_t way, std::uint64_t before, std::uint64_t key);

    subject_hash hash_;
    std::size_t mask_; ///< sets - 1
    std::unique_ptr<set[]> sets_;
    alignas(64) std::atomic<std::uint64_t> uncounted_{0};
};

} // namespace relais::gateway
