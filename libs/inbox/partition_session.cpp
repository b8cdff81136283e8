#include "inbox/partition_session.hpp"

#include "inbox/stored_json.hpp"

#include <algorithm>

namespace relais::inbox {

partition_session::partition_session(pg::transaction& tx, const batch& work, partition_state locked)
    : tx_(tx), work_(work), state_(std::move(locked)) {
    if (work.reset_from && state_.mark.next_offset == work.reset_from) {
        drop_slices(tx, work.at);
        state_.mark.next_offset = work.events.front().record.offset();
    }
    known_.mark = state_.mark;
    known_.now = work.time.now();
    learn();
}

/// Asks the database for what the events of this batch need to know, if they need anything.
void partition_session::learn() {
    std::set<std::string> keys;
    std::set<event_id> ids;
    std::vector<events::snapshot_need> needs;
    for (const auto& next : work_.events) {
        if (!next.event) {
            continue;
        }
        if (state_.held_keys > 0) {
            keys.insert(next.event->key);
        }
        needs.insert(needs.end(), next.event->needs.begin(), next.event->needs.end());
        if (needs_look_up(state_.mark, *next.event, next.record.offset())) {
            ids.insert(next.event->id);
        }
    }
    if (state_.held_keys > 0) {
        known_.held = find_held(tx_, work_.at, keys);
    }
    known_.unseen = note_seen(tx_, work_.at.group, ids);
    known_.snapshots = find_snapshots(tx_, work_.at.group, needs);
}

step partition_session::decide_on(std::size_t index, const handling* with) {
    const auto& next = event(index);
    return decide({.event = next.event ? &*next.event : nullptr,
                   .offset = next.record.offset(),
                   .handled = with != nullptr,
                   .compacted_topic = work_.compacted_topic},
                  known_);
}

outcome partition_session::settle(step what, std::size_t index) {
    const auto& next = event(index);
    switch (what) {
    case step::duplicate:
        return outcome::duplicate;
    case step::unknown_type:
        return outcome::unknown_type;
    case step::expired:
        return outcome::expired;
    case step::park_behind:
        park_new(next, 0, "[]");
        return outcome::parked;
    case step::park_waiting:
        park_for_snapshot(next);
        return outcome::waiting;
    default:
        bury_at_once(next);
        return outcome::dead;
    }
}

void partition_session::hold_until(const incoming& next, timestamp next_at, std::uint32_t attempts,
                                   const std::string& errors) {
    park_new(next, attempts, errors);
    make_wait(next.event->key, next_at, {});
    known_.held.insert(next.event->key);
}

void partition_session::finish(batch_report& report) {
    state_.mark = known_.mark;
    state_.mark.next_offset =
        std::max(state_.mark.next_offset.value_or(0), work_.events.back().record.offset() + 1);
    state_.fruitless_starts = 0;
    report.waiting = std::move(waiting_);
    report.held_changed = held_changed_;
}

void partition_session::park_new(const incoming& next, std::uint32_t attempts,
                                 const std::string& errors) {
    parked_event value{.record = next.record.copy(), .event = *next.event, .attempts = attempts};
    value.failures = attempts;
    value.errors = errors;
    park(tx_, work_.at, value);
    held_changed_ = true;
}

void partition_session::park_for_snapshot(const incoming& next) {
    const auto* with = work_.all.of(*next.event);
    park_new(next, 0, "[]");
    make_wait(next.event->key, known_.now + with->failures.snapshot_wait,
              missing(next.event->needs, known_.snapshots));
}

void partition_session::make_wait(const std::string& key, timestamp next_at,
                                  const std::vector<events::snapshot_need>& needs) {
    if (hold(tx_, work_.at, key, next_at, needs)) {
        ++state_.held_keys;
    }
    if (!needs.empty()) {
        waiting_.push_back({key, next_at, needs});
    }
}

void partition_session::bury_at_once(const incoming& next) {
    const auto reason =
        next.event ? error{error_kind::invalid, "unexpected-tombstone",
                           "a null value on a topic that is not compacted", "", std::nullopt}
                   : next.event.error();
    const auto record = next.record.copy();
    bury(tx_, work_.at,
         {.record = &record,
          .event = next.event ? &*next.event : nullptr,
          .reason = reason.slug,
          .errors = failure_to_json(reason, 1, known_.now)});
    if (next.event) {
        work_.all.dead(tx_, *next.event, reason);
    }
}

} // namespace relais::inbox
