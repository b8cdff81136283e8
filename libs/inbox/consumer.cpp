#include "inbox/consumer.hpp"

#include "async/backoff.hpp"
#include "async/task_group.hpp"
#include "inbox/housekeeper.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include <cassert>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace relais::inbox {
namespace {

constexpr async::backoff reconnect_wait{std::chrono::milliseconds(200),
                                        std::chrono::milliseconds(5'000)};
/// How long leaving the group may take; the partitions move after the session's time-out otherwise.
constexpr auto close_limit = 3s;

} // namespace

struct consumer::impl {
    impl(consumer_settings given, pg::pool& pool, asio::io_context& io, metrics::registry& registry,
         log::logger to)
        : settings(std::move(given)), database(pool), loop(io), metrics(registry),
          logger(std::move(to)) {}

    kafka::consumer_settings source_settings() const {
        return {.brokers = settings.brokers,
                .client_id = settings.instance.empty() ? settings.group : settings.instance,
                .group = settings.group,
                .instance = settings.instance,
                .topics = all.topics(),
                .topic_prefix = settings.topic_prefix,
                .session_timeout = settings.session_timeout,
                .queued_messages_min = 1'000,
                .memory_max_bytes = settings.memory_max_bytes};
    }

    /// What a run uses; made when it begins, because handlers are registered before.
    struct running_parts {
        explicit running_parts(impl& owner)
            : lanes(owner.loop, owner.database.connections()),
              series(owner.metrics, owner.all.topics()),
              parts{.loop = owner.loop,
                    .database = owner.database,
                    .all = owner.all,
                    .time = owner.time,
                    .metrics = series,
                    .logger = owner.logger,
                    .waiting = waiting,
                    .lanes = lanes,
                    .batch_max = owner.settings.batch_max,
                    .batch_bytes_max = owner.settings.memory_max_bytes / 4,
                    .on_arrived = [this](const auto& snapshots) { wake_waiters(snapshots); },
                    .on_timer_changed =
                        [this] {
                            keeper.timer_changed();
                        }},
              keeper(parts, owner.settings.group, workers, source),
              tasks(owner.loop,
                    [&owner](const std::string& name, const std::string& what) {
                        owner.logger.error("inbox.task_failed", {{"task", name}, {"what", what}});
                    }),
              works(owner.loop, [&owner](const std::string& name, const std::string& what) {
                  owner.logger.error("inbox.worker_failed", {{"worker", name}, {"what", what}});
              }) {}

        void wake_waiters(const std::vector<events::snapshot_need>& snapshots) {
            for (const auto& snapshot : snapshots) {
                for (const auto& who : waiting.arrived(snapshot)) {
                    const auto found = workers.find(who.where);
                    if (found != workers.end()) {
                        found->second->wake_key(who.key);
                    }
                }
            }
        }

        waits waiting;
        lane_gate lanes;
        worker_map workers;
        const kafka::consumer* source = nullptr;
        inbox_metrics series;
        shared_parts parts;
        housekeeper keeper;
        async::task_group tasks; ///< of the housekeeper
        async::task_group works; ///< of the workers
    };

    asio::awaitable<void> serve(running_parts& on, kafka::consumer& source);
    asio::awaitable<void> answer(running_parts& on, kafka::consumer& source,
                                 const kafka::rebalance& change);
    asio::awaitable<void> start_workers(running_parts& on, kafka::consumer& source,
                                        std::vector<kafka::topic_partition> partitions);
    asio::awaitable<void> stop_workers(running_parts& on);
    asio::awaitable<void> leave(running_parts& on, kafka::consumer& source);

    consumer_settings settings;
    pg::pool& database;
    asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    system_clock time;
    handlers all;
    bool has_assignment = false;
    bool broker_down = false;
};

/// One life of a Kafka client: until it is cancelled or the client cannot go on.
asio::awaitable<void> consumer::impl::serve(running_parts& on, kafka::consumer& source) {
    while (!source.fatal()) {
        while (const auto change = source.take_rebalance()) {
            co_await answer(on, source, *change);
        }
        broker_down = source.broker_down();
        for (auto& [where, each] : on.workers) {
            if (source.has_records(where)) {
                each->wake();
            }
        }
        co_await source.wait();
    }
}

asio::awaitable<void> consumer::impl::answer(running_parts& on, kafka::consumer& source,
                                             const kafka::rebalance& change) {
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

consumer::consumer(consumer_settings settings, pg::pool& database, asio::io_context& loop,
                   metrics::registry& metrics, log::logger logger)
    : impl_(std::make_unique<impl>(std::move(settings), database, loop, metrics,
                                   std::move(logger))) {}

consumer::~consumer() = default;

asio::awaitable<void> consumer::run() {
    impl::running_parts on(*impl_);
    on.tasks.spawn("timers", on.keeper.keep_time());
    on.tasks.spawn("housekeeping", on.keeper.keep_house());
    on.tasks.spawn("watchdog", on.keeper.keep_watch(impl_->settings.hang_limit));
    unsigned lives = 0;
    bool cancelled = false;
    while (!cancelled) {
        kafka::consumer source(impl_->source_settings(), impl_->loop, impl_->metrics,
                               impl_->logger);
        on.source = &source;
        try {
            co_await impl_->serve(on, source);
            co_await impl_->leave(on, source);
            lives = std::min(lives + 1, 10U);
            co_await async::sleep_for(reconnect_wait.wait(lives));
        } catch (const boost::system::system_error&) {
            cancelled = true;
        }
        if (cancelled) {
            // What has begun is finished; from here on nothing may interrupt us.
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await impl_->leave(on, source);
        }
        on.source = nullptr;
    }
    on.tasks.cancel();
    co_await on.tasks.join();
}

bool consumer::assigned() const {
    return impl_->has_assignment || impl_->broker_down;
}

void consumer::intercept(interceptor around) {
    impl_->all.add(std::move(around));
}

void consumer::add_handler(const google::protobuf::Descriptor& type, policy failures,
                           raw_handler handler) {
    impl_->all.add(
        type.full_name(),
        {.topic = events::topic_of(type), .failures = failures, .run = std::move(handler)});
}

void consumer::add_batch_handler(const google::protobuf::Descriptor& type, policy failures,
                                 raw_batch_handler handler) {
    impl_->all.add(
        type.full_name(),
        {.topic = events::topic_of(type), .failures = failures, .run_many = std::move(handler)});
}

void consumer::add_snapshot(const google::protobuf::Descriptor& type, std::string kind,
                            policy failures, snapshot_handler handler, erase_handler erase) {
    impl_->all.add(type.full_name(), {.topic = events::topic_of(type),
                                      .failures = failures,
                                      .keep = std::move(handler),
                                      .snapshot_kind = std::move(kind),
                                      .erase = std::move(erase)});
}

} // namespace relais::inbox
