#include "inbox/housekeeper.hpp"

#include "inbox/dead_letter_audit.hpp"
#include "inbox/dead_letters.hpp"
#include "inbox/parking.hpp"

#include <algorithm>
#include <cstdlib>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace relais::inbox {
namespace {

using steady = std::chrono::steady_clock;

/// How soon a snapshot that another instance received is noticed; our own wake at once.
constexpr auto snapshots_every = 100ms;
constexpr auto redrives_every = 1s;
constexpr auto counts_every = 10s;
constexpr auto sweep_every = 1h;
constexpr auto watch_every = 500ms;
/// EX_SOFTWARE.
constexpr int hang_exit_code = 70;
constexpr std::size_t needs_max = 500;
/// Longer than any topic of events keeps its records without a relay's position.
constexpr int seen_kept_days = 8;

struct held_time {
    kafka::topic_partition where;
    timestamp next_at{};
};

/// Something to be done every so often.
class rhythm {
public:
    explicit rhythm(steady::duration every) : every_(every), next_(steady::now() + every) {}

    bool is_due() {
        const auto now = steady::now();
        if (now < next_) {
            return false;
        }
        next_ = now + every_;
        return true;
    }

private:
    steady::duration every_;
    steady::time_point next_;
};

} // namespace

housekeeper::housekeeper(shared_parts& parts, std::string group, worker_map& workers,
                         const kafka::consumer* const& source)
    : parts_(parts), group_(std::move(group)), workers_(workers), source_(source),
      timer_(parts.loop) {}

void housekeeper::timer_changed() {
    timer_.notify_all();
}

std::optional<timestamp> housekeeper::wake_due_workers() {
    const auto now = parts_.time.now();
    std::optional<timestamp> next;
    for (auto& [where, each] : workers_) {
        const auto due = each->next_due();
        if (!due) {
            continue;
        }
        if (*due <= now) {
            each->wake();
        } else if (!next || *due < *next) {
            next = due;
        }
    }
    return next;
}

asio::awaitable<void> housekeeper::keep_time() {
    while (true) {
        const auto next = wake_due_workers();
        if (!next) {
            co_await timer_.wait();
            continue;
        }
        // A little later than asked for, so that the worker's own look at the clock agrees; a
        // second at most, because the wall clock may be set.
        const auto wait = std::min<steady::duration>(*next - parts_.time.now() + 1ms, 1s);
        co_await timer_.wait_for(std::max<steady::duration>(wait, 1ms));
    }
}

asio::awaitable<void> housekeeper::keep_watch(std::chrono::milliseconds hang_limit) {
    while (true) {
        co_await async::sleep_for(watch_every);
        look_for_hangs(hang_limit);
    }
}

/// Kafka's own limit between polls never notices: the loop goes on polling. A thread cannot be
/// taken away from a handler, so what remains is to begin anew; the attempt was counted.
void housekeeper::look_for_hangs(std::chrono::milliseconds hang_limit) {
    std::size_t hung = 0;
    for (const auto& [where, each] : workers_) {
        const auto late = each->overdue();
        if (!late) {
            continue;
        }
        ++hung;
        if (late->by > hang_limit) {
            parts_.logger.error("inbox.handler_hangs", {{"topic", where.topic},
                                                        {"partition", where.partition},
                                                        {"offset", late->offset},
                                                        {"type", late->type}});
            parts_.logger.flush();
            std::_Exit(hang_exit_code);
        }
    }
    parts_.metrics.set_overdue(hung);
}

asio::awaitable<void> housekeeper::keep_house() {
    rhythm redrives(redrives_every);
    rhythm counts(counts_every);
    rhythm sweeps(sweep_every);
    co_await count_waiting();
    co_await sweep();
    while (true) {
        co_await async::sleep_for(snapshots_every);
        co_await look_for_snapshots();
        if (redrives.is_due()) {
            show_positions();
            co_await look_for_redrives();
        }
        if (counts.is_due()) {
            co_await count_waiting();
        }
        if (sweeps.is_due()) {
            co_await sweep();
        }
    }
}

asio::awaitable<void> housekeeper::look_for_snapshots() {
    if (parts_.waiting.empty()) {
        co_return;
    }
    const auto needs = parts_.waiting.needs(needs_max);
    auto find = [this, needs](pg::transaction& tx) -> result<snapshot_versions> {
        return find_snapshots(tx, group_, needs);
    };
    const auto versions = co_await parts_.database.read("inbox_snapshots", std::move(find));
    if (!versions) {
        co_return;
    }
    for (const auto& who : parts_.waiting.satisfied_by(*versions)) {
        const auto found = workers_.find(who.where);
        if (found != workers_.end()) {
            found->second->wake_key(who.key);
        }
    }
}

asio::awaitable<void> housekeeper::look_for_redrives() {
    auto find = [this,
                 now = parts_.time.now()](pg::transaction& tx) -> result<std::vector<held_time>> {
        std::vector<held_time> times;
        const auto found =
            tx.exec("select topic, partition,"
                    " min(case when next_at > $3 and waiting_for is null then $2 else next_at end)"
                    " from inbox_held_key where consumer_group = $1 group by topic, partition",
                    {group_, now, now + believed_wait});
        for (const auto& row : found) {
            times.push_back(
                {{row.text(0), static_cast<std::int32_t>(row.integer(1))}, row.time(2)});
        }
        return times;
    };
    const auto times = co_await parts_.database.read("inbox_held_times", std::move(find));
    if (!times) {
        co_return;
    }
    for (const auto& each : *times) {
        const auto found = workers_.find(each.where);
        if (found != workers_.end()) {
            found->second->set_next_due(each.next_at);
        }
    }
    timer_.notify_all();
}

asio::awaitable<void> housekeeper::count_waiting() {
    auto keys = [this](pg::transaction& tx) -> result<std::int64_t> {
        const auto counted =
            tx.exec("select count(*) from inbox_held_key where consumer_group = $1", {group_});
        return counted.front().integer(0);
    };
    const auto held = co_await parts_.database.read("inbox_count_held", std::move(keys));
    auto letters = [this](pg::transaction& tx) -> result<std::vector<dead_letter_count>> {
        return count_dead_letters(tx, group_);
    };
    const auto dead = co_await parts_.database.read("inbox_count_dead", std::move(letters));
    if (!held || !dead) {
        co_return;
    }
    parts_.metrics.set_held_keys(*held);
    for (const auto& topic : parts_.metrics.topics()) {
        const auto found = std::ranges::find(*dead, topic, &dead_letter_count::topic);
        if (found == dead->end()) {
            parts_.metrics.set_dead_letters(topic, 0, timestamp{});
        } else {
            parts_.metrics.set_dead_letters(topic, found->letters, found->oldest);
        }
    }
}

asio::awaitable<void> housekeeper::sweep() {
    auto body = [](pg::transaction& tx) -> result<void> {
        maintain_seen(tx, seen_kept_days);
        return {};
    };
    const auto done = co_await parts_.database.transact("inbox_forget", std::move(body));
    if (!done) { // a lock was not to be had: next time
        parts_.logger.warn("inbox.maintenance_failed",
                           {{"slug", done.error().slug}, {"detail", done.error().detail}});
    }
    auto letters = [this, now = parts_.time.now()](pg::transaction& tx) -> result<std::size_t> {
        return forget_settled(tx, group_, now);
    };
    // What does not fit one statement, or fails, is left for the next time.
    const auto forgotten = co_await parts_.database.transact("inbox_forget_letters", letters);
    static_cast<void>(forgotten);
}

/// Lag in records and in time: a partition without lag is at the present.
void housekeeper::show_positions() {
    if (source_ == nullptr) {
        return;
    }
    const auto now = parts_.time.now();
    std::map<std::string, timestamp> oldest;
    for (const auto& [where, each] : workers_) {
        const auto end = source_->end_offset(where);
        if (!end) {
            continue;
        }
        const auto lag = std::max<std::int64_t>(*end - each->position().value_or(0), 0);
        parts_.metrics.set_lag(where, lag);
        const auto time = lag == 0 ? now : each->last_time();
        const auto known = oldest.emplace(where.topic, time).first;
        known->second = std::min(known->second, time);
    }
    for (const auto& [topic, time] : oldest) {
        parts_.metrics.set_position(topic, time);
    }
}

} // namespace relais::inbox
