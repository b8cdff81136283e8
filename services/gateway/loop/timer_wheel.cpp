#include "gateway/loop/timer_wheel.hpp"

#include <algorithm>

namespace relais::gateway {

timer_wheel::timer_wheel() : done_(tick_of(clock::now())) {
    for (auto& slot : slots_) {
        slot.before = slot.after = &slot;
    }
}

timer_wheel::~timer_wheel() = default;

std::uint64_t timer_wheel::tick_of(clock::time_point when) {
    const auto since = std::max(when.time_since_epoch(), clock::duration::zero());
    return static_cast<std::uint64_t>(since / tick);
}

void timer_wheel::entry::unlink() {
    if (before != nullptr) {
        before->after = after;
        after->before = before;
        before = after = nullptr;
    }
}

void timer_wheel::entry::set(clock::time_point when) {
    due_ = tick_of(when) + 1;
    const bool will_be_seen = before != nullptr && slot_tick_ <= due_;
    if (!will_be_seen) {
        unlink();
        wheel_.put(*this);
    }
}

void timer_wheel::put(entry& which) {
    // Beyond the horizon: looked at when its slot comes round, and put again.
    which.slot_tick_ = std::clamp(which.due_, done_ + 1, done_ + slots_count - 1);
    auto& slot = slots_[which.slot_tick_ % slots_count];
    which.before = slot.before;
    which.after = &slot;
    slot.before->after = &which;
    slot.before = &which;
    next_ = std::min(next_, which.slot_tick_);
}

std::chrono::milliseconds timer_wheel::until_next() const {
    if (next_ == never) {
        return std::chrono::milliseconds(-1);
    }
    const auto left = clock::time_point(tick * next_) - clock::now();
    return std::chrono::ceil<std::chrono::milliseconds>(std::max(left, clock::duration::zero()));
}

void timer_wheel::run_due() {
    if (next_ == never) {
        return;
    }
    const auto now = tick_of(clock::now());
    if (now < next_) {
        return;
    }
    // After a long stop each slot once is enough: all that is due lies in some slot.
    auto from = std::max(done_ + 1, now - std::min<std::uint64_t>(now, slots_count - 1));
    for (; from <= now; ++from) {
        done_ = from;
        run_slot(from % slots_count);
    }
    done_ = now;
    next_ = next_occupied();
}

void timer_wheel::run_slot(std::size_t slot) {
    // Taken off first: what is put back meanwhile goes to later slots, never to this list.
    link waiting;
    auto& head = slots_[slot];
    if (head.after == &head) {
        return;
    }
    waiting.after = head.after;
    waiting.before = head.before;
    waiting.after->before = &waiting;
    waiting.before->after = &waiting;
    head.before = head.after = &head;
    while (waiting.after != &waiting) {
        auto& first = static_cast<entry&>(*waiting.after);
        first.unlink();
        if (first.due_ == never) {
            continue;
        }
        if (first.due_ <= done_) {
            first.due_ = never;
            first.on_expiry_(first.owner_);
        } else {
            put(first);
        }
    }
}

std::uint64_t timer_wheel::next_occupied() const {
    for (std::uint64_t ahead = 1; ahead < slots_count; ++ahead) {
        const auto& slot = slots_[(done_ + ahead) % slots_count];
        if (slot.after != &slot) {
            return done_ + ahead;
        }
    }
    return never;
}

} // namespace relais::gateway
