#include "inbox/replayer.hpp"

#include "async/signal.hpp"
#include "inbox/plan.hpp"
#include "kafka/admin.hpp"
#include "outbox/audit.hpp"

#include <array>

namespace asio = boost::asio;

namespace relais::inbox {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds lookup_timeout{10'000};
constexpr std::size_t records_per_turn = 100;
constexpr std::size_t bytes_per_turn = std::size_t{1024} * 1024;
/// Longer without records, although some are left: the progress says what is waited for.
constexpr std::chrono::seconds silence_usual{2};
constexpr std::chrono::milliseconds database_wait{500};
constexpr std::string_view muted_slug = "replay-muted";

constexpr std::array<std::string_view, 6> outcome_names{"done",      "muted",  "again",
                                                        "unhandled", "failed", "behind"};

} // namespace

std::string_view to_string(replay_outcome value) {
    return outcome_names[static_cast<std::size_t>(value)];
}

replayer::replayer(surroundings with, replay_request what, replay_report report)
    : with_(std::move(with)), what_(std::move(what)), report_(std::move(report)),
      group_("replay:" + what_.name) {}

asio::awaitable<result<replay_progress>> replayer::run() {
    const auto found = find_stretches();
    if (!found) {
        co_return fail(found);
    }
    const auto noted = co_await note_start();
    if (!noted) {
        co_return fail(noted);
    }
    kafka::consumer source({.brokers = with_.settings.brokers,
                            .client_id = "replay-" + what_.name,
                            .group = group_, // needed, but never joined
                            .topic_prefix = with_.settings.topic_prefix,
                            .tells_ends = true},
                           with_.loop, with_.metrics, with_.logger);
    std::vector<kafka::partition_start> starts;
    starts.reserve(parts_.size());
    for (const auto& part : parts_) {
        starts.push_back({part.where, part.next});
    }
    source.assign(starts);
    auto heard = steady::now();
    while (progress_.remaining > 0) {
        bool some = false;
        for (auto& part : parts_) {
            const bool read = co_await read_some(source, part);
            some = some || read;
        }
        if (some) {
            heard = steady::now();
        }
        show_waiting(steady::now() - heard > silence_usual ? "broker" : "", heard);
        if (!some && progress_.remaining > 0) {
            co_await source.wait();
        }
    }
    if (progress_.failed == 0) {
        co_await forget();
    }
    co_return progress_;
}

/// A live replay is somebody's deed.
asio::awaitable<result<void>> replayer::note_start() {
    if (!what_.live) {
        co_return result<void>();
    }
    auto note = [this](pg::transaction& tx) -> result<void> {
        outbox::note_act(tx,
                         {.service = with_.settings.group,
                          .who = what_.by.empty() ? "unknown" : what_.by,
                          .action = "replay.live",
                          .target = "replay/" + what_.topic + "/" + what_.name,
                          .why = what_.why,
                          .before = "",
                          .after = ""},
                         with_.time.now());
        return {};
    };
    co_return co_await with_.database.transact("inbox_replay", std::move(note));
}

/// Bounded by what is there now, so that a replay comes to an end on a busy topic.
result<void> replayer::find_stretches() {
    kafka::admin broker(with_.settings.brokers, "replay-" + what_.name, lookup_timeout);
    const auto topic = with_.settings.topic_prefix + what_.topic;
    const auto whole = broker.offsets(topic);
    const auto since =
        what_.from_time ? broker.offsets_since(topic, *what_.from_time) : broker.offsets(topic);
    const auto until =
        what_.until_time ? broker.offsets_since(topic, *what_.until_time) : broker.offsets(topic);
    if (!whole || !since || !until) {
        return fail(!whole ? whole : (!since ? since : until));
    }
    for (std::size_t i = 0; i < whole->size(); ++i) {
        const auto& range = whole->at(i);
        if (what_.partition && *what_.partition != range.partition) {
            continue;
        }
        stretch_of part{.where = {what_.topic, range.partition}};
        part.next = std::max(what_.from_offset.value_or(range.first), since->at(i).first);
        part.end = std::min(what_.until_offset.value_or(range.next),
                            what_.until_time ? until->at(i).first : range.next);
        if (part.next < part.end) {
            progress_.remaining += part.end - part.next;
            parts_.push_back(std::move(part));
        }
    }
    return {};
}

/// False: nothing was there, or the part is done.
asio::awaitable<bool> replayer::read_some(kafka::consumer& source, stretch_of& part) {
    if (part.next >= part.end) {
        co_return false;
    }
    const auto records = source.fetch(part.where, records_per_turn, bytes_per_turn);
    for (const auto& next : read_envelopes(records)) {
        const auto passed = std::min(next.record.offset() + 1, part.end) - part.next;
        const bool inside = next.record.offset() < part.end;
        part.next += passed;
        progress_.remaining -= passed;
        if (!inside) {
            break;
        }
        ++progress_.read;
        co_await handle(next);
    }
    // Where compaction took the last records away, the broker says that nothing is left.
    if (source.read_through(part.where).value_or(0) >= part.end) {
        progress_.remaining -= part.end - part.next;
        part.next = part.end;
    }
    co_return !records.empty();
}

asio::awaitable<void> replayer::handle(const incoming& next) {
    const bool wanted = (what_.key.empty() || next.record.key() == what_.key) &&
                        (what_.type.empty() || (next.event && next.event->type == what_.type));
    if (!wanted) {
        co_return;
    }
    const auto event = co_await run_event(next);
    progress_.waits_for = {};
    count(event);
    report_(&event, progress_);
}

asio::awaitable<replayed> replayer::run_event(const incoming& next) {
    replayed made{.record = next.record.copy()};
    if (!next.event) {
        made.what = replay_outcome::failed;
        made.reason = next.event.error();
        co_return made;
    }
    made.event = &*next.event;
    const auto* with = with_.all.of(*next.event);
    if (with == nullptr) {
        made.what = replay_outcome::unhandled;
        co_return made;
    }
    if (failed_keys_.contains(next.event->key)) {
        made.what = replay_outcome::behind;
        co_return made;
    }
    const auto done = co_await attempt(next, *with, made.effects);
    if (done) {
        const bool fresh = *done == outcome::handled || *done == outcome::erased;
        made.what = fresh ? replay_outcome::done : replay_outcome::again;
    } else if (done.error().slug == muted_slug) {
        made.what = replay_outcome::muted;
    } else {
        made.what = replay_outcome::failed;
        made.reason = done.error();
        failed_keys_.insert(next.event->key);
    }
    co_return made;
}

/// Until the database was there all the time: an outage is no failure of the event.
asio::awaitable<result<outcome>> replayer::attempt(const incoming& next, const handling& with,
                                                   std::vector<effect>& effects) {
    const auto begun = steady::now();
    while (true) {
        auto body = [&](pg::transaction& tx) {
            return run_in(tx, next, with, effects);
        };
        const auto until = steady::now() + with.failures.handler_deadline;
        auto done = co_await with_.database.transact("inbox_replay", std::move(body), until);
        if (done || !is_outage(done.error(), true)) {
            co_return done;
        }
        show_waiting("database", begun);
        co_await async::sleep_for(database_wait);
    }
}

void replayer::show_waiting(std::string_view what, steady::time_point since) {
    progress_.waits_for = what;
    progress_.waited = std::chrono::duration_cast<std::chrono::seconds>(steady::now() - since);
    report_(nullptr, progress_);
}

/// A muted one fails at its end, which takes back what it did. Snapshots are measured by the
/// versions that the service has: an old one never replaces a newer one, live or not.
result<outcome> replayer::run_in(pg::transaction& tx, const incoming& next, const handling& with,
                                 std::vector<effect>& effects) const {
    effects.clear(); // the pool may run us again
    if (what_.live && with.snapshot_kind.empty() &&
        note_seen(tx, group_, {next.event->id}).empty()) {
        return outcome::duplicate;
    }
    const auto unmet =
        missing(next.event->needs, find_snapshots(tx, with_.settings.group, next.event->needs));
    if (!unmet.empty()) {
        return fail(error_kind::not_found, "snapshot-missing", to_text(unmet.front()));
    }
    tx.watch_changes([&effects](std::string_view statement, std::size_t rows) {
        effects.push_back({std::string(statement), rows});
    });
    std::vector<events::snapshot_need> arrived;
    const auto done = invoke(tx,
                             {.group = with_.settings.group,
                              .all = with_.all,
                              .with = with,
                              .event = *next.event,
                              .now = with_.time.now()},
                             arrived);
    if (!done || *done == outcome::stale || what_.live) {
        return done;
    }
    return fail(error_kind::conflict, std::string(muted_slug), "nothing is kept");
}

void replayer::count(const replayed& event) {
    switch (event.what) {
    case replay_outcome::done:
    case replay_outcome::muted:
        ++progress_.done;
        return;
    case replay_outcome::again:
    case replay_outcome::unhandled:
        ++progress_.skipped;
        return;
    case replay_outcome::failed:
    case replay_outcome::behind:
        ++progress_.failed;
        return;
    }
}

/// The throw-away group's ids.
asio::awaitable<void> replayer::forget() {
    std::size_t forgotten = 1;
    while (forgotten > 0) {
        auto body = [this](pg::transaction& tx) -> result<std::size_t> {
            return forget_group(tx, group_);
        };
        const auto done = co_await with_.database.read("inbox_forget", std::move(body));
        forgotten = done.value_or(0);
    }
}

} // namespace relais::inbox
