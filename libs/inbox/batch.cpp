#include "inbox/batch.hpp"

#include "async/failpoint.hpp"
#include "inbox/partition_session.hpp"
#include "inbox/stored_json.hpp"
#include "inbox/waves.hpp"

#include <algorithm>

namespace relais::inbox {
namespace {

partition_state lock(pg::transaction& tx, const batch& work) {
    return work.part ? lock_slice(tx, work.at, *work.part) : lock_partition(tx, work.at);
}

void save(pg::transaction& tx, const batch& work, const partition_state& state) {
    work.part ? save_slice(tx, work.at, *work.part, state) : save_partition(tx, work.at, state);
}

std::vector<place> places_of(std::span<const batch> works) {
    std::vector<place> places;
    places.reserve(works.size());
    for (const auto& work : works) {
        places.push_back(work.at);
    }
    return places;
}

std::vector<partition_state> lock_all(pg::transaction& tx, std::span<const batch> works) {
    if (works.size() > 1) {
        return lock_partitions(tx, places_of(works));
    }
    return {lock(tx, works.front())};
}

void save_all(pg::transaction& tx, std::span<const batch> works,
              const std::vector<partition_state>& states) {
    if (works.size() > 1) {
        save_partitions(tx, places_of(works), states);
    } else {
        save(tx, works.front(), states.front());
    }
}

/// The end of a transaction about one partition.
batch_report finish(pg::transaction& tx, const batch& work, partition_session& on,
                    batch_report report) {
    on.finish(report);
    save(tx, work, on.state());
    return report;
}

bool needs_handler(step what) {
    return what == step::run || what == step::erase;
}

/// Runs the handlers of a transaction and notes where it is.
class handler_runner {
public:
    handler_runner(pg::transaction& tx, const batch& first, std::optional<stretch>& running)
        : tx_(tx), group_(first.at.group), all_(first.all), now_(first.time.now()),
          running_(running) {}

    /// Events come in their order; an index counts all of the transaction, whatever becomes of
    /// them.
    void add(std::size_t index, const events::event& event, const handling& with, outcome& to) {
        jobs_.push_back({.index = index, .event = &event, .with = &with, .to = &to});
    }

    result<void> run() {
        const bool one_by_one = std::ranges::none_of(
            jobs_, [](const job& each) { return static_cast<bool>(each.with->run_many); });
        auto done = one_by_one ? run_in_order() : run_in_waves();
        if (done) {
            running_.reset();
        }
        return done;
    }

    void reserve(std::size_t events) {
        jobs_.reserve(events);
    }

    /// The snapshots that came.
    std::vector<events::snapshot_need> take_arrived() {
        return std::move(arrived_);
    }

private:
    struct job {
        std::size_t index = 0;
        const events::event* event = nullptr;
        const handling* with = nullptr;
        outcome* to = nullptr;
    };

    result<void> run_in_order() {
        for (const auto& next : jobs_) {
            auto done = run_one(next);
            if (!done) {
                return done;
            }
        }
        return {};
    }

    result<void> run_in_waves() {
        waves order;
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            order.add(i, jobs_[i].event->key, *jobs_[i].with);
        }
        for (const auto& part : order.take()) {
            auto done = part.with->run_many ? run_together(part) : run_each(part);
            if (!done) {
                return done;
            }
        }
        return {};
    }

    result<void> run_each(const wave_part& part) {
        for (const auto number : part.events) {
            auto done = run_one(jobs_[number]);
            if (!done) {
                return done;
            }
        }
        return {};
    }

    result<void> run_one(const job& next) {
        running_ = stretch{next.index, 1};
        const auto done = invoke(
            tx_,
            {.group = group_, .all = all_, .with = *next.with, .event = *next.event, .now = now_},
            arrived_);
        if (!done) {
            return fail(done);
        }
        *next.to = *done;
        return {};
    }

    result<void> run_together(const wave_part& part) {
        std::vector<const events::event*> events;
        events.reserve(part.events.size());
        for (const auto number : part.events) {
            events.push_back(jobs_[number].event);
        }
        const auto first = jobs_[part.events.front()].index;
        running_ = stretch{first, jobs_[part.events.back()].index - first + 1};
        std::optional<std::size_t> guilty;
        auto done = invoke_many(tx_, all_, *part.with, events, now_, guilty);
        if (!done) {
            if (guilty) {
                running_ = stretch{jobs_[part.events.at(*guilty)].index, 1};
            }
            return done;
        }
        for (const auto number : part.events) {
            *jobs_[number].to = outcome::handled;
        }
        return {};
    }

    pg::transaction& tx_;
    const std::string& group_;
    const handlers& all_;
    timestamp now_;
    std::optional<stretch>& running_;
    std::vector<job> jobs_;
    std::vector<events::snapshot_need> arrived_;
};

/// Decides on the events of a batch: what needs a handler goes to the runner.
void sort_out(partition_session& on, const batch& work, std::size_t first_index,
              batch_report& report, handler_runner& handlers) {
    report.outcomes.resize(work.events.size(), outcome::handled);
    for (std::size_t i = 0; i < work.events.size(); ++i) {
        const auto& next = work.events[i].event;
        const auto* with = next ? work.all.of(*next) : nullptr;
        const step what = on.decide_on(i, with);
        if (needs_handler(what)) {
            handlers.add(first_index + i, *next, *with, report.outcomes[i]);
        } else {
            report.outcomes[i] = on.settle(what, i);
        }
    }
}

} // namespace

result<std::vector<batch_report>> run_batches(pg::transaction& tx, std::span<const batch> works,
                                              std::optional<stretch>& running) {
    running.reset(); // the pool may run us again after a lost connection
    auto states = lock_all(tx, works);
    std::vector<partition_session> sessions;
    sessions.reserve(works.size());
    std::vector<batch_report> reports(works.size());
    handler_runner handlers(tx, works.front(), running);
    std::size_t index = 0;
    for (std::size_t i = 0; i < works.size(); ++i) {
        auto& on = sessions.emplace_back(tx, works[i], std::move(states[i]));
        sort_out(on, works[i], index, reports[i], handlers);
        index += works[i].events.size();
    }
    const auto done = handlers.run();
    if (!done) {
        return fail(done);
    }
    reports.front().arrived = handlers.take_arrived();
    async::failpoint("consumer.after_effects");
    for (std::size_t i = 0; i < works.size(); ++i) {
        sessions[i].finish(reports[i]);
        states[i] = sessions[i].state();
    }
    save_all(tx, works, states);
    return reports;
}

result<batch_report> run_batch(pg::transaction& tx, const batch& work,
                               std::optional<stretch>& running) {
    auto reports = run_batches(tx, std::span(&work, 1), running);
    if (!reports) {
        return fail(reports);
    }
    return std::move(reports->front());
}

result<batch_report> settle_failure(pg::transaction& tx, const batch& work, const error& reason,
                                    std::uint64_t random) {
    partition_session on(tx, work, lock(tx, work));
    const auto& next = on.event(0);
    const auto* with = next.event ? work.all.of(*next.event) : nullptr;
    const step what = on.decide_on(0, with);
    batch_report report;
    if (!needs_handler(what)) {
        report.outcomes.push_back(on.settle(what, 0));
        return finish(tx, work, on, std::move(report));
    }
    const auto errors = failure_to_json(reason, 1, on.now());
    const auto& rules = with->failures;
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
    return finish(tx, work, on, std::move(report));
}

result<batch_report> park_batch(pg::transaction& tx, const batch& work) {
    partition_session on(tx, work, lock(tx, work));
    batch_report report;
    for (std::size_t i = 0; i < work.events.size(); ++i) {
        const auto& next = work.events[i].event;
        const step what = on.decide_on(i, next ? work.all.of(*next) : nullptr);
        if (needs_handler(what)) {
            on.hold_until(on.event(i), on.now(), 0, "[]");
            report.outcomes.push_back(outcome::parked);
        } else {
            report.outcomes.push_back(on.settle(what, i));
        }
    }
    return finish(tx, work, on, std::move(report));
}

} // namespace relais::inbox
