// A relay session that polls.
#include "async/failpoint.hpp"
#include "async/signal.hpp"
#include "outbox/relay_session.hpp"

#include <limits>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

using steady = std::chrono::steady_clock;

/// Events of a round that are sent while the next round is asked for.
constexpr std::size_t round_rows_max = 1'000;

error epoch_over() {
    return {error_kind::conflict, "outbox-epoch-over", "another instance began a new one", "",
            std::nullopt};
}

} // namespace

asio::awaitable<result<void>> relay_session::poll() {
    auto repaired = co_await repair_alone();
    if (!repaired) {
        co_return repaired;
    }
    const auto& options = with_.settings.options;
    auto wait = options.poll_idle;
    steady::time_point take_at{};
    while (true) {
        if (steady::now() >= take_at) {
            auto taken = co_await take_more_shards();
            if (!taken) {
                co_return taken;
            }
            take_at = steady::now() + with_.settings.standby_retry;
        }
        streaming_ = !polled_.empty();
        if (!streaming_) {
            with_.show(relay::state::standby);
        }
        const auto found = co_await poll_once();
        if (!found) {
            co_return fail(found);
        }
        wait = *found > 0 ? options.poll_busy : std::min(wait * 2, options.poll_idle);
        co_await async::sleep_for(polled_.empty() ? with_.settings.standby_retry : wait);
    }
}

/// One instance publishes what an earlier epoch left; no shard begins before that is done.
asio::awaitable<result<void>> relay_session::repair_alone() {
    while (true) {
        const auto left = co_await repair_is_left(*sql_);
        if (!left) {
            co_return std::unexpected(left.error().as_error());
        }
        if (!*left) {
            co_return result<void>();
        }
        const auto mine = co_await try_lock_repair(*sql_);
        if (!mine) {
            co_return std::unexpected(mine.error().as_error());
        }
        if (*mine) {
            auto published = co_await publish_repair();
            const auto unlocked = co_await unlock_repair(*sql_);
            if (published && !unlocked) {
                published = std::unexpected(unlocked.error().as_error());
            }
            co_return published;
        }
        with_.show(relay::state::standby);
        co_await async::sleep_for(with_.settings.standby_retry);
    }
}

/// Shards that nobody has become ours, once what their last owner wrote down is delivered.
asio::awaitable<result<void>> relay_session::take_more_shards() {
    std::vector<int> held;
    for (const auto& each : polled_) {
        held.insert(held.end(), each.numbers().begin(), each.numbers().end());
    }
    const auto taken = co_await take_shards(*sql_, held);
    if (!taken) {
        co_return std::unexpected(taken.error().as_error());
    }
    std::map<std::string, std::vector<int>> by_seen;
    for (const auto& each : *taken) {
        by_seen[each.seen].push_back(each.number);
    }
    for (const auto& [seen, numbers] : by_seen) {
        auto replayed = co_await replay(numbers);
        if (!replayed) {
            co_return replayed;
        }
        polled_.emplace_back(numbers, seen);
        with_.logger.info("outbox.shards_taken", {{"count", numbers.size()}});
    }
    co_return result<void>();
}

/// Sends what is written down for these shards, with the positions that it has.
asio::awaitable<result<void>> relay_session::replay(std::vector<int> shards) {
    while (true) {
        auto rows =
            co_await read_assigned(*sql_, shards, publisher_->careful() ? 1 : round_rows_max);
        if (!rows) {
            co_return std::unexpected(rows.error().as_error());
        }
        if (rows->empty()) {
            co_return result<void>();
        }
        const auto position = rows->back().position;
        const auto index = rows->back().index;
        auto sent = co_await send_assigned(std::move(*rows), 0);
        if (sent) {
            sent = co_await publisher_->settle();
        }
        if (!sent) {
            co_return sent;
        }
        const auto forgotten = co_await forget_assigned(*sql_, shards, position, index);
        if (!forgotten) {
            co_return std::unexpected(forgotten.error().as_error());
        }
    }
}

/// Events of one or more positions, in order; `end` is confirmed when all are delivered.
asio::awaitable<result<void>> relay_session::send_assigned(std::vector<assigned_event> events,
                                                           lsn end) {
    lsn open = 0;
    for (auto& each : events) {
        if (each.position != open) {
            if (open != 0) {
                publisher_->commit(0);
            }
            open = each.position;
            publisher_->begin(open, each.written_at);
        }
        publisher_->set_index(each.index);
        auto sent = co_await send(std::move(each.event));
        if (!sent) {
            co_return sent;
        }
    }
    publisher_->commit(end);
    co_return result<void>();
}

/// How many events were found.
asio::awaitable<result<std::size_t>> relay_session::poll_once() {
    std::size_t found = 0;
    if (polled_.empty()) {
        co_return found;
    }
    const auto now = co_await current_snapshot(*sql_);
    if (!now) {
        co_return std::unexpected(now.error().as_error());
    }
    const auto confirmed = publisher_->confirmed();
    for (auto& each : polled_) {
        each.delivered(confirmed);
        if (each.seen() == *now && confirmed == forgotten_) {
            continue;
        }
        const auto taken = co_await take_round(each);
        if (!taken) {
            co_return taken;
        }
        found += *taken;
    }
    forgotten_ = confirmed;
    if (polled_.size() > 1 && polled_.front().absorb(polled_.back())) {
        polled_.pop_back();
    }
    co_return found;
}

asio::awaitable<result<std::size_t>> relay_session::take_round(polled_shards& of) {
    const auto asked_at = steady::now();
    auto taken = co_await assign(*sql_, {.shards = of.numbers(),
                                         .seen = of.seen(),
                                         .delivered = publisher_->confirmed(),
                                         .rows_max = round_rows_max});
    if (!taken) {
        co_return std::unexpected(taken.error().as_error());
    }
    if (taken->epoch != progress_.epoch) {
        co_return std::unexpected(epoch_over());
    }
    lease_.renew(asked_at);
    of.saw(taken->seen, taken->position);
    if (taken->count > 0) {
        async::failpoint("relay.round_assigned");
    }
    if (taken->count == taken->events.size()) {
        if (taken->count > 0) {
            const auto sent = co_await send_assigned(std::move(taken->events), taken->position);
            if (!sent) {
                co_return fail(sent);
            }
        }
        co_return taken->count;
    }
    // More than one likes to have in memory.
    auto sent = co_await publisher_->settle();
    if (sent) {
        const auto forgotten = co_await forget_assigned(
            *sql_, of.numbers(), publisher_->confirmed(), std::numeric_limits<std::int32_t>::max());
        sent = forgotten ? co_await replay(of.numbers())
                         : std::unexpected(forgotten.error().as_error());
    }
    if (!sent) {
        co_return fail(sent);
    }
    publisher_->mark(taken->position);
    co_return taken->count;
}

/// Once a second: what all shards have published.
asio::awaitable<link_result<void>> relay_session::save_polled() {
    for (auto& each : polled_) {
        each.delivered(publisher_->confirmed());
        const auto snapshot = each.published();
        if (publisher_->done() == moments_done_) {
            continue;
        }
        const auto numbers = each.numbers();
        auto saved = co_await save_shards(*sql_, progress_.epoch, numbers, snapshot);
        if (!saved) {
            co_return saved;
        }
    }
    if (publisher_->outstanding() == 0) {
        moments_done_ = publisher_->done();
    }
    co_return link_result<void>();
}

/// What was delivered need not be sent again by the next owner.
asio::awaitable<void> relay_session::forget_delivered() {
    if (publisher_->confirmed() == 0) {
        co_return;
    }
    // Ours may have been cut off in the middle of a query; it keeps the locks all the same.
    auto fresh = co_await server_link::open(with_.loop, sql_keywords(), std::chrono::seconds(3));
    if (!fresh) {
        co_return;
    }
    for (const auto& each : polled_) {
        const auto forgotten =
            co_await forget_assigned(**fresh, each.numbers(), publisher_->confirmed(),
                                     std::numeric_limits<std::int32_t>::max());
        static_cast<void>(forgotten); // then they are sent again, with the same positions
    }
}

} // namespace relais::outbox
