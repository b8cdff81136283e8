#include "inbox/worker.hpp"

#include "async/backoff.hpp"
#include "events/topics.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::inbox {
namespace {

using steady = std::chrono::steady_clock;

/// A partition whose last starts all ended without progress is handled with care from this one on.
constexpr std::int64_t fruitless_starts_max = 3;
constexpr async::backoff outage_wait{std::chrono::milliseconds(50),
                                     std::chrono::milliseconds(2'000)};
/// More records than this are worth the way to another thread.
constexpr std::size_t read_here_max = 32;

bool is_compacted(const std::string& topic) {
    const auto* known = events::find_topic(topic);
    return known != nullptr && known->compacted;
}

events::lane lane_of(const std::string& topic) {
    const auto* known = events::find_topic(topic);
    return known == nullptr ? events::lane::normal : known->lane;
}

} // namespace

worker::worker(shared_parts& parts, kafka::consumer& source, std::string group,
               loaded_partition loaded)
    : parts_(parts), source_(source), at_{std::move(group), std::move(loaded.where)},
      compacted_(is_compacted(at_.where.topic)), lane_(lane_of(at_.where.topic)),
      position_(loaded.state.mark.next_offset), asked_for_(loaded.state.mark.next_offset),
      slices_(loaded.slices > 0 ? loaded.slices : parts.parallel_keys),
      mark_(std::move(loaded.state.mark)), base_(mark_.next_offset),
      due_unknown_(loaded.state.held_keys > 0), changed_(parts.loop) {
    if (loaded.state.fruitless_starts >= fruitless_starts_max) {
        careful_left_ = parts.batch_max;
        parts.logger.warn("inbox.careful", {{"topic", at_.where.topic},
                                            {"partition", at_.where.partition},
                                            {"starts", loaded.state.fruitless_starts}});
    }
}

asio::awaitable<void> worker::run() {
    if (due_unknown_) {
        co_await load_waits();
    }
    while (!stopping_) {
        bool worked = co_await run_woken();
        const bool ran_due = co_await run_due();
        worked = worked || ran_due;
        if (source_.has_records(at_.where)) {
            co_await handle_some();
            worked = true;
        }
        if (!worked && !stopping_) {
            co_await changed_.wait();
        }
    }
}

void worker::wake() {
    changed_.notify_all();
}

void worker::wake_key(const std::string& key) {
    woken_.insert(key);
    changed_.notify_all();
}

void worker::stop() {
    stopping_ = true;
    changed_.notify_all();
}

void worker::note_running(int slice, std::int64_t offset, const std::string& type,
                          steady::time_point until) {
    running_[slice] = in_work{.type = type, .offset = offset, .until = until};
}

std::optional<worker::overrun> worker::overdue() const {
    const auto now = steady::now();
    for (const auto& [slice, work] : running_) {
        if (work.until <= now) {
            return overrun{work.type, work.offset, now - work.until};
        }
    }
    return std::nullopt;
}

void worker::set_next_due(timestamp due) {
    if (!next_due_ || due < *next_due_) {
        next_due_ = due;
    }
}

/// Kafka may begin elsewhere than it was asked to: later when records were deleted before we read
/// them, earlier when the topic was made anew. Neither may pass unnoticed.
void worker::note_start(std::int64_t first) {
    if (!asked_for_) {
        return;
    }
    const auto asked = *asked_for_;
    asked_for_.reset();
    if (first < asked) {
        reset_from_ = asked;
        parts_.logger.error("inbox.topic_made_anew", {{"topic", at_.where.topic},
                                                      {"partition", at_.where.partition},
                                                      {"asked_for", asked},
                                                      {"got", first}});
    } else if (first > asked && !compacted_) {
        parts_.metrics.count_lost(at_.where.topic, first - asked);
        parts_.logger.error("inbox.records_lost", {{"topic", at_.where.topic},
                                                   {"partition", at_.where.partition},
                                                   {"records", first - asked}});
    }
}

/// Many records are read on a database thread: reading them here would make this thread the limit
/// of what all partitions together can do.
asio::awaitable<std::shared_ptr<event_buffer>>
worker::read(std::vector<const kafka::fetched*> all) {
    std::size_t count = 0;
    for (const auto* each : all) {
        count += each->size();
    }
    auto into = parts_.buffers.take();
    auto work = [&all, &into](std::size_t) -> result<void> {
        for (const auto* each : all) {
            into->read(*each);
        }
        return {};
    };
    if (count > read_here_max) {
        const auto read = co_await parts_.database.run(work);
        if (read) {
            co_return into;
        }
        into = parts_.buffers.take();
    }
    static_cast<void>(work(0)); // few, or the pool is full or closing
    co_return into;
}

/// Records are taken and read when it is their turn: those of partitions that wait for theirs stay
/// with the client, which bounds their memory.
asio::awaitable<void> worker::handle_some() {
    auto turn = co_await take_turn();
    if (!turn) {
        co_await alight();
        co_return;
    }
    auto records = source_.fetch(at_.where, parts_.batch_max, parts_.batch_bytes_max);
    if (records.empty() || stopping_) {
        co_return;
    }
    note_start(records[0].offset());
    auto others = take_along(records);
    if (!others.empty()) {
        co_await drive(std::move(others), std::move(records));
        turn.reset();
        co_await alight();
        co_return;
    }
    const auto read_ones = co_await read({&records});
    const auto events = read_ones->events();
    if (slices_ > 1 && !reset_from_) {
        turn.reset(); // each slice takes its own
        co_await handle_slices(events);
    } else if (co_await handle(events, std::nullopt)) {
        note_all(events);
        base_ = mark_.next_offset;
    }
    if (due_unknown_ && !stopping_) {
        co_await refresh_due();
    }
}

asio::awaitable<void> worker::pause_after(const error& failed) {
    if (outages_ == 0) {
        parts_.logger.warn("inbox.waits_for_database", {{"topic", at_.where.topic},
                                                        {"partition", at_.where.partition},
                                                        {"slug", failed.slug},
                                                        {"detail", failed.detail}});
    }
    outages_ = std::min(outages_ + 1, 20U);
    const auto until = steady::now() + outage_wait.wait(outages_);
    while (!stopping_ && steady::now() < until) {
        co_await changed_.wait_for(until - steady::now());
    }
}

} // namespace relais::inbox
