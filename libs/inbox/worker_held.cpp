#include "inbox/entropy.hpp"
#include "inbox/worker.hpp"

namespace asio = boost::asio;

// The part of a worker that runs the events of held keys.

namespace relais::inbox {
namespace {

using steady = std::chrono::steady_clock;

/// How many due keys are run before new records get their turn.
constexpr std::size_t due_per_turn = 20;

} // namespace

asio::awaitable<bool> worker::run_woken() {
    const auto keys = std::exchange(woken_, {});
    for (const auto& key : keys) {
        co_await run_key(key);
    }
    co_return !keys.empty();
}

asio::awaitable<bool> worker::run_due() {
    if (due_unknown_) {
        co_await refresh_due();
    }
    const auto now = parts_.time.now();
    if (!next_due_ || *next_due_ > now) {
        co_return false;
    }
    auto find = [this, now](pg::transaction& tx) -> result<std::vector<std::string>> {
        return find_due(tx, at_, now, due_per_turn);
    };
    const auto keys = co_await parts_.database.read("inbox_due", std::move(find));
    if (!keys) {
        co_await pause_after(keys.error());
        co_return true;
    }
    for (const auto& key : *keys) {
        co_await run_key(key);
    }
    co_await refresh_due();
    co_return true;
}

/// Runs the events of a key, first to last, until one has to wait.
asio::awaitable<void> worker::run_key(std::string key) {
    while (!stopping_) {
        const auto now = co_await one_turn(key);
        if (now && *now != held_report::state::next) {
            co_return;
        }
    }
}

/// One event of a held key; nullopt after an outage: once more.
asio::awaitable<std::optional<held_report::state>> worker::one_turn(const std::string& key) {
    const auto found = crashes_.find(key);
    const held_work work{.at = at_,
                         .all = parts_.all,
                         .time = parts_.time,
                         .key = key,
                         .fresh = fresh_.contains(key),
                         .found =
                             found == crashes_.end() ? std::nullopt : std::optional(found->second)};
    attempt_progress progress;
    auto begin = [&](pg::transaction& tx) {
        return begin_attempt(tx, work, progress, random_bits());
    };
    // A fresh event runs in it, too.
    running_[0] = in_work{.until = pg::pool::default_deadline()};
    auto report = co_await parts_.database.transact("inbox_attempt", std::move(begin));
    running_.erase(0);
    if (progress.found) {
        crashes_.insert_or_assign(key, *progress.found);
    }
    if (report && report->now == held_report::state::begun) {
        auto body = [&](pg::transaction& tx) {
            return run_attempt(tx, work, progress);
        };
        const auto turn = co_await parts_.lanes.enter(lane_);
        const auto& event = progress.first->event;
        const auto until = steady::now() + parts_.all.of(event)->failures.handler_deadline;
        note_running(0, progress.first->record.offset, event.type, until);
        report = co_await parts_.database.transact("inbox_held", std::move(body), until);
        running_.erase(0);
    }
    if (!report && progress.first && !is_outage(report.error(), progress.running)) {
        report = co_await fail_attempt(work, progress, report.error());
    }
    if (!report) {
        const bool known = is_outage(report.error(), progress.running);
        co_await pause_after(report.error());
        // What is no outage and no handler's failure is a bug of ours: other keys go on meanwhile.
        co_return known ? std::nullopt : std::optional(held_report::state::waiting);
    }
    settle(key, *report, progress);
    co_await register_waits(report->waiting);
    co_return report->now;
}

asio::awaitable<result<held_report>> worker::fail_attempt(const held_work& work,
                                                          attempt_progress progress, error reason) {
    const auto& event = progress.first->event;
    parts_.logger.with(event.cause.trace)
        .warn("inbox.event_failed", {{"topic", at_.where.topic},
                                     {"offset", progress.first->record.offset},
                                     {"type", event.type},
                                     {"attempt", std::max(progress.first->attempts, 1U)},
                                     {"slug", reason.slug},
                                     {"detail", reason.detail}});
    while (true) {
        auto body = [&](pg::transaction& tx) {
            return settle_attempt(tx, work, *progress.first, reason, random_bits());
        };
        auto report = co_await parts_.database.transact("inbox_fail", std::move(body));
        if (report || stopping_) {
            co_return report;
        }
        co_await pause_after(report.error());
    }
}

/// After the COMMIT of a turn.
void worker::settle(const std::string& key, const held_report& report,
                    const attempt_progress& progress) {
    outages_ = 0;
    due_unknown_ = true;
    fresh_.erase(key);
    crashes_.erase(key);
    parts_.waiting.forget({at_.where, key});
    if (report.result) {
        parts_.metrics.count(at_.where.topic, *report.result);
        if (progress.first) {
            parts_.all.after(progress.first->event, *report.result);
        }
    }
    if (progress.first && report.result == outcome::handled) {
        parts_.metrics.observe_age(at_.where.topic, parts_.time.now() - progress.first->event.time);
    }
    if (!report.arrived.empty()) {
        parts_.on_arrived(report.arrived);
    }
}

/// Makes known which snapshots keys wait for, then looks whether one came in between: its own
/// worker could not know about us.
asio::awaitable<void> worker::register_waits(std::vector<held_key> waiting) {
    if (waiting.empty()) {
        co_return;
    }
    std::vector<events::snapshot_need> needs;
    for (const auto& key : waiting) {
        parts_.waiting.add(at_.where, key);
        needs.insert(needs.end(), key.waiting_for.begin(), key.waiting_for.end());
    }
    auto find = [this, &needs](pg::transaction& tx) -> result<snapshot_versions> {
        return find_snapshots(tx, at_.group, needs);
    };
    const auto versions = co_await parts_.database.read("inbox_snapshots", std::move(find));
    if (!versions) {
        co_return; // whoever looks at all waits now and then will see it
    }
    for (const auto& key : waiting) {
        if (missing(key.waiting_for, *versions).empty()) {
            parts_.waiting.forget({at_.where, key.key});
            wake_key(key.key);
        }
    }
}

/// At the start: keys that wait since an earlier life.
asio::awaitable<void> worker::load_waits() {
    while (!stopping_) {
        auto find = [this](pg::transaction& tx) -> result<std::vector<held_key>> {
            return find_waiting(tx, at_);
        };
        auto waiting = co_await parts_.database.read("inbox_waiting", std::move(find));
        if (waiting) {
            co_await register_waits(*std::move(waiting));
            co_return;
        }
        co_await pause_after(waiting.error());
    }
}

asio::awaitable<void> worker::refresh_due() {
    while (!stopping_) {
        auto find = [this, now = parts_.time.now()](
                        pg::transaction& tx) -> result<std::optional<timestamp>> {
            return find_next_due(tx, at_, now);
        };
        const auto due = co_await parts_.database.read("inbox_next_due", std::move(find));
        if (due) {
            next_due_ = *due;
            due_unknown_ = false;
            parts_.on_timer_changed();
            co_return;
        }
        co_await pause_after(due.error());
    }
}

} // namespace relais::inbox
