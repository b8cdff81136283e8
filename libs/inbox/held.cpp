#include "inbox/held.hpp"

#include "inbox/stored_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::inbox {
namespace {

using state = held_report::state;

struct held_row {
    timestamp next_at{};
    bool waits = false;
};

std::optional<held_row> find_row(pg::transaction& tx, const place& at, const std::string& key) {
    const auto found = tx.exec("select next_at, waiting_for is not null from inbox_held_key"
                               " where consumer_group = $1 and topic = $2 and key = $3",
                               {at.group, at.where.topic, key});
    if (found.empty()) {
        return std::nullopt;
    }
    return held_row{found.front().time(0), found.front().boolean(1)};
}

held_report finish_first(pg::transaction& tx, const held_work& work, partition_state partition,
                         const parked_event& first, outcome what) {
    held_report report{.now = state::next, .result = what};
    if (release_first(tx, work.at, first, work.time.now())) {
        --partition.held_keys;
        save_partition(tx, work.at, partition);
        report.now = state::free;
    }
    return report;
}

held_report bury_first(pg::transaction& tx, const held_work& work, const partition_state& partition,
                       const parked_event& first, const error& reason) {
    const auto failure = failure_to_json(reason, first.attempts, work.time.now());
    bury(tx, work.at,
         {.record = &first.record,
          .event = &first.event,
          .reason = reason.slug,
          .attempts = first.attempts,
          .redrives = first.redrives,
          .errors = join_failures(first.errors, failure)});
    work.all.dead(tx, first.event, reason);
    return finish_first(tx, work, partition, first, outcome::dead);
}

held_report keep_waiting(held_report report, const std::string& key, timestamp until,
                         std::vector<events::snapshot_need> needs) {
    report.now = state::waiting;
    report.waiting.push_back({key, until, std::move(needs)});
    return report;
}

std::uint32_t crashes_of(const held_work& work, const parked_event& first) {
    const auto counted = first.attempts - std::min(first.attempts, first.failures);
    const bool known = work.found && work.found->event == first.event.id;
    return known ? std::min(counted, work.found->crashes) : counted;
}

/// What keeps the first event from being tried at all; nullopt: nothing does.
std::optional<held_report> refuse_first(pg::transaction& tx, const held_work& work,
                                        const partition_state& partition, const held_row& row,
                                        const parked_event& first, std::uint32_t crashes) {
    const auto now = work.time.now();
    const auto* with = work.all.of(first.event);
    if (with == nullptr) {
        return finish_first(tx, work, partition, first, outcome::unknown_type);
    }
    if (first.event.expires_at && *first.event.expires_at <= now) {
        return finish_first(tx, work, partition, first, outcome::expired);
    }
    const auto unmet =
        missing(first.event.needs, find_snapshots(tx, work.at.group, first.event.needs));
    if (!unmet.empty()) {
        if (row.waits && row.next_at <= now) {
            return bury_first(tx, work, partition, first,
                              error{error_kind::not_found, "snapshot-missing",
                                    to_text(unmet.front()), "", std::nullopt});
        }
        const auto until = row.waits ? row.next_at : now + with->failures.snapshot_wait;
        hold(tx, work.at, work.key, until, unmet);
        return keep_waiting({}, work.key, until, unmet);
    }
    if (crashes >= crashes_max) {
        return bury_first(tx, work, partition, first,
                          error{error_kind::internal, "crashed",
                                fmt::format("{} attempts ended the process", crashes), "",
                                std::nullopt});
    }
    return std::nullopt;
}

/// Locks the event again; nullopt when it is not the same attempt any more.
std::optional<parked_event> lock_same(pg::transaction& tx, const held_work& work,
                                      const parked_event& first) {
    auto again = lock_first(tx, work.at, work.key);
    const bool same = again && again->record.offset == first.record.offset &&
                      again->event.id == first.event.id && again->attempts == first.attempts;
    return same ? std::move(again) : std::nullopt;
}

result<held_report> run_locked(pg::transaction& tx, const held_work& work,
                               const partition_state& partition, const parked_event& first,
                               std::uint32_t attempt, bool& running) {
    const auto* with = work.all.of(first.event);
    std::vector<events::snapshot_need> arrived;
    running = true;
    const auto done = invoke(tx,
                             {.group = work.at.group,
                              .all = work.all,
                              .with = *with,
                              .event = first.event,
                              .now = work.time.now(),
                              .attempt = attempt},
                             arrived);
    if (!done) {
        return fail(done);
    }
    running = false;
    auto report = finish_first(tx, work, partition, first, *done);
    report.arrived = std::move(arrived);
    return report;
}

} // namespace

result<held_report> begin_attempt(pg::transaction& tx, const held_work& work,
                                  attempt_progress& progress, std::uint64_t random) {
    progress = {}; // the pool may run us again after a lost connection
    const auto partition = lock_partition(tx, work.at);
    const auto row = find_row(tx, work.at, work.key);
    auto first = row ? lock_first(tx, work.at, work.key) : std::nullopt;
    if (!first) {
        return held_report{};
    }
    const auto now = work.time.now();
    if (!row->waits && row->next_at > now && row->next_at <= now + believed_wait) {
        return held_report{.now = state::waiting};
    }
    const auto crashes = crashes_of(work, *first);
    // Those that the database broke off were none: they count neither for the policy nor in a
    // dead letter.
    first->attempts = std::min(first->failures, first->attempts) + crashes;
    progress.found = crash_count{first->event.id, crashes};
    if (auto refused = refuse_first(tx, work, partition, *row, *first, crashes)) {
        return *std::move(refused);
    }
    if (work.fresh && first->attempts == 0) {
        progress.first = *first;
        return run_locked(tx, work, partition, *first, 1, progress.running);
    }
    ++first->attempts;
    count_attempt(tx, work.at, *first);
    // Should the process end now, the next one waits before it tries again.
    const auto rules = work.all.of(first->event)->failures;
    const error crash{error_kind::internal, "crashed", "", "", std::nullopt};
    const auto next = std::min(first->attempts + 1, rules.attempts_max);
    const auto wait =
        rules.wait_before(next, crash, now - first->event.time, random).value_or(rules.first);
    hold(tx, work.at, work.key, now + wait, {});
    progress.first = std::move(first);
    return held_report{.now = state::begun};
}

result<held_report> run_attempt(pg::transaction& tx, const held_work& work,
                                attempt_progress& progress) {
    progress.running = false;
    const auto partition = lock_partition(tx, work.at);
    const auto same = lock_same(tx, work, *progress.first);
    if (!same) {
        return held_report{.now = state::next};
    }
    return run_locked(tx, work, partition, *same, same->attempts, progress.running);
}

result<held_report> settle_attempt(pg::transaction& tx, const held_work& work,
                                   const parked_event& first, const error& reason,
                                   std::uint64_t random) {
    const auto partition = lock_partition(tx, work.at);
    auto same = lock_same(tx, work, first);
    if (!same) {
        return held_report{.now = state::next};
    }
    if (work.fresh && same->attempts == 0) {
        same->attempts = 1;
    }
    const auto now = work.time.now();
    const auto& rules = work.all.of(same->event)->failures;
    const auto wait = rules.wait_before(same->attempts + 1, reason, now - same->event.time, random);
    work.all.error(tx, same->event, reason, same->attempts);
    if (!wait) {
        return bury_first(tx, work, partition, *same, reason);
    }
    same->failures = same->attempts;
    note_failure(tx, work.at, *same, failure_to_json(reason, same->attempts, now));
    hold(tx, work.at, work.key, now + *wait, {});
    return held_report{.now = state::waiting, .result = outcome::parked};
}

} // namespace relais::inbox
