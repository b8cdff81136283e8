#include "async/failpoint.hpp"
#include "inbox/entropy.hpp"
#include "inbox/worker.hpp"

#include <algorithm>
#include <array>

namespace asio = boost::asio;

// The part of a worker that handles what was read, in one transaction if it can.

namespace relais::inbox {
namespace {

using steady = std::chrono::steady_clock;

/// Of a record that nobody handles.
constexpr std::chrono::milliseconds unhandled_deadline{1'000};

} // namespace

batch worker::batch_of(std::span<const incoming> events, const std::optional<slice>& part) const {
    return {at_, parts_.all, parts_.time, events, compacted_, reset_from_, part};
}

/// False: stopped before the last of them.
asio::awaitable<bool> worker::handle(std::span<const incoming> events, std::optional<slice> part) {
    std::span<const incoming> rest(events);
    cutter cut(rest.size());
    while (!cut.finished() && !stopping_) {
        const auto next = rest.first(cut.next());
        std::optional<stretch> running;
        const auto report = co_await try_batch(next, part, running);
        if (report) {
            settle(next, part, *report);
            co_await register_waits(report->waiting);
        } else if (is_outage(report.error(), running.has_value())) {
            co_await pause_after(report.error());
            continue;
        } else if (next.size() > 1) {
            cut.failed(running.value_or(stretch{0, 1}));
            continue;
        } else {
            co_await fail_alone(next, part, report.error());
        }
        rest = rest.subspan(next.size());
        cut.done();
    }
    co_return cut.finished();
}

std::chrono::milliseconds worker::time_for(std::span<const incoming> events) const {
    std::chrono::milliseconds sum{0};
    for (const auto& each : events) {
        const auto* with = each.event ? parts_.all.of(*each.event) : nullptr;
        sum += with == nullptr ? unhandled_deadline : with->failures.handler_deadline;
        if (events.size() > 1 && sum >= batch_deadline_max) {
            return batch_deadline_max;
        }
    }
    return sum;
}

asio::awaitable<result<batch_report>> worker::try_batch(std::span<const incoming> events,
                                                        std::optional<slice> part,
                                                        std::optional<stretch>& running) {
    async::failpoint("consumer.before_transaction");
    const auto work = batch_of(events, part);
    if (careful_left_ > 0) {
        auto park = [work](pg::transaction& tx) {
            return park_batch(tx, work);
        };
        auto parked = co_await parts_.database.transact("inbox_park", std::move(park));
        co_return parked;
    }
    auto body = [work, &running](pg::transaction& tx) {
        return run_batch(tx, work, running);
    };
    const auto until = steady::now() + time_for(events);
    const auto& first = events.front();
    const int place = part ? part->index : 0;
    note_running(place, first.record.offset(), first.event ? first.event->type : std::string(),
                 until);
    auto report = co_await parts_.database.transact("inbox_batch", std::move(body), until);
    running_.erase(place);
    co_return report;
}

/// An event that fails also without others in its transaction.
asio::awaitable<void> worker::fail_alone(std::span<const incoming> one, std::optional<slice> part,
                                         error reason) {
    const auto& event = one.front().event;
    auto logger = event ? parts_.logger.with(event->cause.trace) : parts_.logger;
    logger.warn("inbox.event_failed", {{"topic", at_.where.topic},
                                       {"offset", one.front().record.offset()},
                                       {"type", event ? event->type : std::string()},
                                       {"attempt", 1},
                                       {"slug", reason.slug},
                                       {"detail", reason.detail}});
    while (!stopping_) {
        const auto work = batch_of(one, part);
        auto body = [work, &reason](pg::transaction& tx) {
            return settle_failure(tx, work, reason, random_bits());
        };
        const auto report = co_await parts_.database.transact("inbox_fail", std::move(body));
        if (report) {
            settle(one, part, *report);
            co_await register_waits(report->waiting);
            co_return;
        }
        co_await pause_after(report.error());
    }
}

/// After the COMMIT of a batch.
void worker::settle(std::span<const incoming> events, const std::optional<slice>& part,
                    const batch_report& report) {
    async::failpoint("consumer.after_commit");
    outages_ = 0;
    careful_left_ -= std::min(careful_left_, events.size());
    if (!part) {
        reset_from_.reset();
        move_to(events.back().record);
    }
    const auto now = parts_.time.now();
    std::array<std::size_t, outcome_count> counts{};
    for (std::size_t i = 0; i < events.size(); ++i) {
        ++counts[static_cast<std::size_t>(report.outcomes[i])];
        if (!events[i].event) {
            continue;
        }
        if (report.outcomes[i] == outcome::handled) {
            parts_.metrics.observe_age(at_.where.topic, now - events[i].event->time);
        }
        parts_.all.after(*events[i].event, report.outcomes[i]);
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) {
            parts_.metrics.count(at_.where.topic, static_cast<outcome>(i), counts[i]);
        }
    }
    due_unknown_ = due_unknown_ || report.held_changed;
    for (const auto& key : report.waiting) {
        fresh_.insert(key.key);
    }
    if (!report.arrived.empty()) {
        parts_.on_arrived(report.arrived);
    }
}

/// Everything up to here is handled.
void worker::move_to(const kafka::message& last) {
    position_ = last.offset() + 1;
    last_time_ = last.time();
    source_.store_offset(at_.where, *position_);
}

} // namespace relais::inbox
