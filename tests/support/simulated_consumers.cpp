// The consumers' side of the simulated backbone, and what must hold at the end.
#include "support/simulated_backbone.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::test {
namespace {

constexpr std::uint64_t batch_max = 12;
constexpr std::uint64_t failing_percent = 3;
constexpr unsigned attempts_max = 4;

std::tuple<std::int64_t, std::uint64_t, std::uint32_t> place(const inbox::watermark& mark) {
    return {mark.epoch, mark.lsn, mark.index};
}

} // namespace

/// One of the two instances handles what it has fetched; it may believe to own a partition that the
/// other one has gone on with.
void simulated_backbone::consume(std::size_t instance, std::size_t where) {
    auto& at = partitions_[where];
    auto& position = positions_[instance][where];
    const auto there = at.records.size() - std::min(position, at.records.size());
    if (there == 0) {
        return;
    }
    const auto count = std::min<std::size_t>(there, 1 + below(batch_max));
    handle(at, position, count, true);
    const bool dies_before_it_knows = !draining_ && below(50) == 0;
    if (!dies_before_it_knows) {
        position += count;
    }
}

/// One transaction; when an event fails it is rolled back, what stood before it runs again without
/// it, and it is parked by a transaction of its own.
void simulated_backbone::handle(partition& at, std::size_t from, std::size_t count, bool may_fail) {
    inbox::knowledge known;
    known.mark = at.mark;
    known.now = now();
    for (const auto& [key, waiting] : at.held) {
        known.held.insert(key);
    }
    std::vector<const events::event*> effects;
    std::vector<const events::event*> behind; // to be parked
    for (std::size_t i = from; i < from + count; ++i) {
        const auto& event = at.records[i];
        const auto what = inbox::decide(
            {.event = &event, .offset = static_cast<std::int64_t>(i), .handled = true}, known);
        if (what == inbox::step::park_behind && !wrong_.ignores_holds) {
            behind.push_back(&event);
        } else if (what != inbox::step::duplicate) {
            const bool fails = may_fail && !draining_ && happens(failing_percent);
            if (fails && i > from) {
                handle(at, from, i - from, false);
                handle(at, i, from + count - i, false);
                return;
            }
            if (fails) {
                behind.push_back(&event); // the first one of its key, or behind earlier ones
                known.held.insert(event.key);
                continue;
            }
            effects.push_back(&event);
        }
    }
    for (const auto* event : effects) {
        take_effect(*event);
    }
    for (const auto* event : behind) {
        at.held[event->key].push_back({*event, 0});
    }
    known.mark.next_offset =
        std::max(known.mark.next_offset.value_or(0), static_cast<std::int64_t>(from + count));
    save(at, known.mark);
}

/// The first event of a held key once more: it takes effect, fails again, or is given up (which
/// counts as its effect here).
void simulated_backbone::run_held(partition& at) {
    if (at.held.empty()) {
        return;
    }
    auto which = at.held.begin();
    std::advance(which, static_cast<std::ptrdiff_t>(below(at.held.size())));
    auto& first = which->second.front();
    if (!draining_ && ++first.attempts < attempts_max && happens(40)) {
        return;
    }
    take_effect(first.event);
    which->second.pop_front();
    if (which->second.empty()) {
        at.held.erase(which);
    }
}

void simulated_backbone::take_effect(const events::event& event) {
    ++counts_["effects"];
    if (++effects_[event.id] > 1) {
        problems_.push_back(fmt::format("twice: {}/{}", event.key, event.type));
        return;
    }
    auto& last = last_effects_[event.key];
    const std::uint64_t number = std::stoull(event.type);
    if (number < last) {
        problems_.push_back(fmt::format("order: {}/{} after {}", event.key, number, last));
    }
    last = std::max(last, number);
}

void simulated_backbone::save(partition& at, const inbox::watermark& mark) {
    if (wrong_.forgets_watermarks && happens(10)) {
        return;
    }
    if (place(mark) < place(at.mark) || mark.next_offset < at.mark.next_offset) {
        problems_.emplace_back("watermark: it went back");
    }
    at.mark = mark;
}

void simulated_backbone::drain() {
    draining_ = true;
    // Far more steps than anything on its way can need.
    for (int i = 0; i < 1'000'000 && !idle(); ++i) {
        step();
    }
    compare();
}

bool simulated_backbone::idle() const {
    const bool delivered = relay_ && relay_->next == log_.size() &&
                           relay_->ring.outstanding() == 0 && relay_->reports.empty() &&
                           zombies_.empty() &&
                           std::ranges::all_of(relay_->sending, &std::deque<flight>::empty);
    if (!delivered) {
        return false;
    }
    for (std::size_t i = 0; i < partition_count; ++i) {
        const auto& at = partitions_[i];
        const auto done = static_cast<std::size_t>(at.mark.next_offset.value_or(0));
        if (done < at.records.size() || !at.held.empty()) {
            return false;
        }
    }
    return true;
}

void simulated_backbone::compare() {
    if (!idle()) {
        problems_.emplace_back("starved: something is on its way for ever");
    }
    for (const auto& transaction : log_) {
        for (const auto& event : transaction.events) {
            if (!effects_.contains(event.id)) {
                problems_.push_back(fmt::format("lost: {}/{}", event.key, event.type));
            }
        }
    }
}

} // namespace relais::test
