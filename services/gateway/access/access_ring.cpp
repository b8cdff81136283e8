#include "gateway/access/access_ring.hpp"

#include <algorithm>
#include <bit>

namespace relais::gateway {
namespace {

constexpr std::size_t capacity_min = 4;
constexpr std::size_t cache_line = 64;

} // namespace

access_ring::access_ring(std::size_t capacity, doorbell& bell)
    : mask_(std::bit_ceil(std::max(capacity, capacity_min)) - 1), quarter_((mask_ + 1) / 4),
      slots_(std::make_unique<slot[]>(mask_ + 1)), bell_(bell) {}

bool access_ring::push(const access_record& record) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head - seen_tail_ >= quarter_) {
        // Only now: the line is the other thread's, and reading it costs.
        seen_tail_ = tail_.load(std::memory_order_acquire);
        if (head - seen_tail_ > mask_) {
            dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return false;
        }
    }
    static_cast<access_record&>(slots_[head & mask_]) = record;
    head_.store(head + 1, std::memory_order_release);
    if (head + 1 - seen_tail_ >= quarter_) {
        bell_.ring();
    }
    // The next slot was read by another core; it comes while the next request is served.
    const auto* const next = reinterpret_cast<const char*>(&slots_[(head + 1) & mask_]);
    for (std::size_t at = 0; at < sizeof(slot); at += cache_line) {
        __builtin_prefetch(next + at, 1);
    }
    return true;
}

std::size_t access_ring::size() const noexcept {
    // The tail first: the head is never behind a tail that was read before it.
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);
    return head_.load(std::memory_order_acquire) - tail;
}

} // namespace relais::gateway
