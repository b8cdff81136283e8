#include "inbox/batch.hpp"

#include "async/failpoint.hpp"
#include "inbox/stored_json.hpp"
#include "inbox/waves.hpp"

#include <fmt/format.h>

namespace relais::inbox {
namespace {

/// The transaction's view of the partition, and what it does to it.
class session {
public:
    session(pg::transaction& tx, const batch& work)
        : tx_(tx), work_(work),
          state_(work.part ? lock_slice(tx, work.at, *work.part) : lock_partition(tx, work.at)) {
        if (work.reset_from && state_.mark.next_offset == work.reset_from) {
            drop_slices(tx, work.at);
            state_.mark.next_offset = work.events.front().record.offset();
        }
        known_.mark = state_.mark;
        known_.now = work.time.now();
        learn();
    }

    const incoming& event(std::size_t index) const {
        return work_.events[index];
    }

    step decide_on(std::size_t index) {
        const auto& next = event(index);
        candidate seen{.event = next.event ? &*next.event : nullptr,
                       .offset = next.record.offset(),
                       .compacted_topic = work_.compacted_topic};
        if (next.event) {
            seen.known_type = work_.all.find(next.event->type) != nullptr;
            seen.erasable = work_.all.find_erasable(next.event->topic) != nullptr;
        }
        return decide(seen, known_);
    }

    /// Everything but running a handler.
    outcome settle(step what, std::size_t index) {
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

    /// Parks an event and makes its key wait until then.
    void hold_until(const incoming& next, timestamp next_at, std::uint32_t attempts,
                    const std::string& errors) {
        park_new(next, attempts, errors);
        make_wait(next.event->key, next_at, {});
        known_.held.insert(next.event->key);
    }

    batch_report finish(batch_report report) {
        state_.mark = known_.mark;
        state_.mark.next_offset =
            std::max(state_.mark.next_offset.value_or(0), work_.events.back().record.offset() + 1);
        state_.fruitless_starts = 0;
        work_.part ? save_slice(tx_, work_.at, *work_.part, state_)
                   : save_partition(tx_, work_.at, state_);
        report.waiting = std::move(waiting_);
        report.held_changed = held_changed_;
        return report;
    }

    timestamp now() const {
        return known_.now;
    }

private:
    /// Asks the database for what the events of this batch need to know, if they need anything.
    void learn() {
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
            if (judge(state_.mark, *next.event, next.record.offset()) == novelty::by_id) {
                ids.insert(next.event->id);
            }
        }
        if (state_.held_keys > 0) {
            known_.held = find_held(tx_, work_.at, keys);
        }
        known_.unseen = note_seen(tx_, work_.at.group, ids);
        known_.snapshots = find_snapshots(tx_, work_.at.group, needs);
    }

    void park_new(const incoming& next, std::uint32_t attempts, const std::string& errors) {
        parked_event value{
            .record = next.record.copy(), .event = *next.event, .attempts = attempts};
        value.failures = attempts;
        value.errors = errors;
        park(tx_, work_.at, value);
        held_changed_ = true;
    }

    void park_for_snapshot(const incoming& next) {
        const auto* with = work_.all.of(*next.event);
        park_new(next, 0, "[]");
        make_wait(next.event->key, known_.now + with->failures.snapshot_wait,
                  missing(next.event->needs, known_.snapshots));
    }

    void make_wait(const std::string& key, timestamp next_at,
                   const std::vector<events::snapshot_need>& needs) {
        if (hold(tx_, work_.at, key, next_at, needs)) {
            ++state_.held_keys;
        }
        if (!needs.empty()) {
            waiting_.push_back({key, next_at, needs});
        }
    }

    void bury_at_once(const incoming& next) {
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

    pg::transaction& tx_;
    const batch& work_;
    partition_state state_;
    knowledge known_;
    std::vector<held_key> waiting_;
    bool held_changed_ = false;
};

bool needs_handler(step what) {
    return what == step::run || what == step::erase;
}

/// Runs the handlers of a batch and notes where it is.
class handler_runner {
public:
    handler_runner(pg::transaction& tx, const batch& work, const session& on,
                   std::optional<stretch>& running, batch_report& report)
        : tx_(tx), work_(work), on_(on), running_(running), report_(report) {}

    result<void> run(const wave_part& part) {
        if (part.with->run_many) {
            return run_together(part);
        }
        for (const auto index : part.events) {
            running_ = stretch{index, 1};
            const turn alone{.group = work_.at.group,
                             .all = work_.all,
                             .with = *part.with,
                             .event = *on_.event(index).event,
                             .now = on_.now()};
            const auto done = invoke(tx_, alone, report_.arrived);
            if (!done) {
                return fail(done);
            }
            report_.outcomes[index] = *done;
        }
        return {};
    }

private:
    result<void> run_together(const wave_part& part) {
        std::vector<const events::event*> events;
        events.reserve(part.events.size());
        for (const auto index : part.events) {
            events.push_back(&*on_.event(index).event);
        }
        running_ = stretch{part.events.front(), part.events.back() - part.events.front() + 1};
        std::optional<std::size_t> guilty;
        const auto done = invoke_many(tx_, work_.all, *part.with, events, on_.now(), guilty);
        if (!done) {
            if (guilty) {
                running_ = stretch{part.events.at(*guilty), 1};
            }
            return fail(done);
        }
        for (const auto index : part.events) {
            report_.outcomes[index] = outcome::handled;
        }
        return {};
    }

    pg::transaction& tx_;
    const batch& work_;
    const session& on_;
    std::optional<stretch>& running_;
    batch_report& report_;
};

} // namespace

result<batch_report> run_batch(pg::transaction& tx, const batch& work,
                               std::optional<stretch>& running) {
    running.reset(); // the pool may run us again after a lost connection
    session on(tx, work);
    batch_report report;
    report.outcomes.resize(work.events.size(), outcome::handled);
    waves order;
    for (std::size_t i = 0; i < work.events.size(); ++i) {
        const step what = on.decide_on(i);
        if (needs_handler(what)) {
            const auto& event = *on.event(i).event;
            order.add(i, event.key, *work.all.of(event));
        } else {
            report.outcomes[i] = on.settle(what, i);
        }
    }
    handler_runner handlers(tx, work, on, running, report);
    for (const auto& part : order.take()) {
        const auto done = handlers.run(part);
        if (!done) {
            return fail(done);
        }
    }
    running.reset();
    async::failpoint("consumer.after_effects");
    return on.finish(std::move(report));
}

result<batch_report> settle_failure(pg::transaction& tx, const batch& work, const error& reason,
                                    std::uint64_t random) {
    session on(tx, work);
    const auto& next = on.event(0);
    const step what = on.decide_on(0);
    batch_report report;
    if (!needs_handler(what)) {
        report.outcomes.push_back(on.settle(what, 0));
        return on.finish(std::move(report));
    }
    const auto errors = failure_to_json(reason, 1, on.now());
    const auto& rules = work.all.of(*next.event)->failures;
    const auto wait = rules.wait_before(2, reason, on.now() - next.event->time, random);
    work.all.error(tx, *next.event, reason, 1);
    if (wait) {
        on.hold_until(next, on.now() + *wait, 1, errors);
        report.outcomes.push_back(outcome::parked);
    } else {
        const auto record = next.record.copy();
        bury(tx, work.at,
             {.record = &record,
              .event = &*next.event,
              .reason = reason.slug,
              .attempts = 1,
              .errors = errors});
        work.all.dead(tx, *next.event, reason);
        report.outcomes.push_back(outcome::dead);
    }
    return on.finish(std::move(report));
}

result<batch_report> park_batch(pg::transaction& tx, const batch& work) {
    session on(tx, work);
    batch_report report;
    for (std::size_t i = 0; i < work.events.size(); ++i) {
        const step what = on.decide_on(i);
        if (needs_handler(what)) {
            on.hold_until(on.event(i), on.now(), 0, "[]");
            report.outcomes.push_back(outcome::parked);
        } else {
            report.outcomes.push_back(on.settle(what, i));
        }
    }
    return on.finish(std::move(report));
}

} // namespace relais::inbox
