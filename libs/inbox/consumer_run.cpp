#include "async/backoff.hpp"
#include "async/failpoint.hpp"
#include "inbox/consumer_impl.hpp"
#include "kafka/admin.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

// The life of a consumer: Kafka clients, one after the other, and the workers of each assignment.

namespace relais::inbox {
namespace {

constexpr async::backoff reconnect_wait{std::chrono::milliseconds(200),
                                        std::chrono::milliseconds(5'000)};
/// How long leaving the group may take; the partitions move after the session's time-out otherwise.
constexpr auto close_limit = 3s;
constexpr auto end_lookup_limit = 5s;

} // namespace

/// One life of a Kafka client: until it is cancelled or the client cannot go on.
asio::awaitable<void> consumer::impl::serve(running_parts& on, kafka::consumer& source) {
    while (!source.fatal() && !on.worker_failed) {
        while (const auto change = source.take_rebalance()) {
            co_await answer(on, source, *change);
        }
        broker_down = source.broker_down();
        for (auto& [where, each] : on.workers) {
            if (source.has_records(where)) {
                each->wake();
            }
        }
        if (draining && is_drained(on)) {
            co_return;
        }
        co_await source.wait();
    }
}

/// Asks the broker for the ends of partitions that came new. Blocks: only one-off runs drain.
/// False: the broker did not answer.
bool consumer::impl::note_ends(const running_parts& on) {
    kafka::admin broker(settings.brokers, settings.group + "-drain", end_lookup_limit);
    for (const auto& topic : all.topics()) {
        const auto ranges = broker.offsets(settings.topic_prefix + topic);
        if (!ranges) {
            return false;
        }
        for (const auto& range : *ranges) {
            const kafka::topic_partition where{topic, range.partition};
            if (on.workers.contains(where)) {
                ends.emplace(where, range.first < range.next ? range.next : 0);
            }
        }
    }
    return true;
}

bool consumer::impl::is_drained(const running_parts& on) {
    if (!has_assignment) {
        return false;
    }
    const auto known = [this](const auto& each) {
        return ends.contains(each.first);
    };
    if (!std::ranges::all_of(on.workers, known) && !note_ends(on)) {
        return false;
    }
    return std::ranges::all_of(on.workers, [this](const auto& each) {
        return each.second->position().value_or(0) >= ends.at(each.first);
    });
}

asio::awaitable<void> consumer::impl::answer(running_parts& on, kafka::consumer& source,
                                             const kafka::rebalance& change) {
    async::failpoint("consumer.in_rebalance");
    co_await stop_workers(on);
    if (change.what != kafka::rebalance::kind::assigned) {
        has_assignment = false;
        source.unassign();
        logger.info("inbox.revoked", {{"partitions", change.partitions.size()},
                                      {"lost", change.what == kafka::rebalance::kind::lost}});
        co_return;
    }
    co_await start_workers(on, source, change.partitions);
    has_assignment = true;
    logger.info("inbox.assigned", {{"partitions", change.partitions.size()}});
}

asio::awaitable<void>
consumer::impl::start_workers(running_parts& on, kafka::consumer& source,
                              std::vector<kafka::topic_partition> partitions) {
    unsigned tries = 0;
    while (true) {
        auto begin = [&](pg::transaction& tx) -> result<std::vector<loaded_partition>> {
            return begin_partitions(tx, settings.group, partitions);
        };
        auto loaded = co_await database.transact("inbox_begin", std::move(begin));
        if (!loaded) {
            logger.warn("inbox.cannot_begin",
                        {{"slug", loaded.error().slug}, {"detail", loaded.error().detail}});
            tries = std::min(tries + 1, 10U);
            co_await async::sleep_for(reconnect_wait.wait(tries));
            continue;
        }
        std::vector<kafka::partition_start> starts;
        for (auto& each : *loaded) {
            const auto where = each.where;
            starts.push_back({where, each.state.mark.next_offset});
            on.workers.emplace(
                where, std::make_unique<worker>(on.parts, source, settings.group, std::move(each)));
        }
        source.assign(starts);
        for (auto& [where, each] : on.workers) {
            on.works.spawn(where.topic + "/" + std::to_string(where.partition), each->run());
        }
        co_return;
    }
}

/// Lets the workers finish what they do. They are told, not cancelled: a transaction on another
/// thread cannot be left behind.
asio::awaitable<void> consumer::impl::stop_workers(running_parts& on) {
    if (on.workers.empty()) {
        co_return;
    }
    std::vector<kafka::topic_partition> partitions;
    for (auto& [where, each] : on.workers) {
        each->stop();
        partitions.push_back(where);
    }
    co_await on.works.join();
    for (const auto& where : partitions) {
        on.waiting.forget(where);
        on.series.set_lag(where, 0);
    }
    on.workers.clear();
    auto end = [&](pg::transaction& tx) -> result<void> {
        end_partitions(tx, settings.group, partitions);
        return {};
    };
    // Only saves a partition from being handled with care for nothing.
    static_cast<void>(co_await database.transact("inbox_end", std::move(end),
                                                 std::chrono::steady_clock::now() + 1s));
}

/// May be called again when it was interrupted.
asio::awaitable<void> consumer::impl::leave(running_parts& on, kafka::consumer& source) {
    co_await stop_workers(on);
    has_assignment = false;
    co_await source.close(close_limit);
}

/// Kafka clients one after the other. False: cancelled.
asio::awaitable<bool> consumer::impl::lives(running_parts& on) {
    unsigned count = 0;
    bool ended = false;
    bool cancelled = false;
    std::exception_ptr bug;
    while (!ended && !cancelled && !bug) {
        kafka::consumer source(source_settings(), loop, metrics, logger);
        on.source = &source;
        try {
            co_await serve(on, source);
            ended = draining && is_drained(on);
            co_await leave(on, source);
            on.worker_failed = false;
            count = std::min(count + 1, 10U);
            if (!ended) {
                co_await async::sleep_for(reconnect_wait.wait(count));
            }
        } catch (const boost::system::system_error&) {
            cancelled = true;
        } catch (...) {
            bug = std::current_exception();
        }
        if (cancelled || bug) {
            // What has begun is finished; from here on nothing may interrupt us.
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await leave(on, source);
        }
        on.source = nullptr;
    }
    if (bug) {
        std::rethrow_exception(bug);
    }
    co_return !cancelled;
}

asio::awaitable<bool> consumer::impl::live(bool until_drained) {
    draining = until_drained;
    ends.clear();
    running_parts on(*this);
    on.tasks.spawn("timers", on.keeper.keep_time());
    on.tasks.spawn("housekeeping", on.keeper.keep_house());
    on.tasks.spawn("watchdog", on.keeper.keep_watch(settings.hang_limit));
    bool finished = false;
    std::exception_ptr bug; // also a client that cannot be made: passed on when nothing uses `on`
    try {
        finished = co_await lives(on);
    } catch (...) {
        bug = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    on.tasks.cancel();
    co_await on.tasks.join();
    if (bug) {
        std::rethrow_exception(bug);
    }
    co_return finished;
}

asio::awaitable<void> consumer::run() {
    co_await impl_->live(false);
}

asio::awaitable<bool> consumer::drain() {
    const bool drained = co_await impl_->live(true);
    co_return drained;
}

} // namespace relais::inbox
