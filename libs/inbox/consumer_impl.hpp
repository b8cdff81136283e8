#pragma once

// For the .cpp files of consumer only.

#include "async/task_group.hpp"
#include "inbox/consumer.hpp"
#include "inbox/housekeeper.hpp"

namespace relais::inbox {

struct consumer::impl {
    impl(consumer_settings given, pg::pool& pool, boost::asio::io_context& io,
         metrics::registry& registry, log::logger to)
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
                    .buffers = buffers,
                    .batch_max = owner.settings.batch_max,
                    .parallel_keys = owner.settings.parallel_keys,
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
              works(owner.loop, [&owner, this](const std::string& name, const std::string& what) {
                  owner.logger.error("inbox.worker_failed", {{"worker", name}, {"what", what}});
                  worker_failed = true;
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

        /// A bug; the partition is begun anew with the next client.
        bool worker_failed = false;
        waits waiting;
        lane_gate lanes;
        event_buffers buffers; ///< before whoever uses them
        worker_map workers;
        const kafka::consumer* source = nullptr;
        inbox_metrics series;
        shared_parts parts;
        housekeeper keeper;
        async::task_group tasks; ///< of the housekeeper
        async::task_group works; ///< of the workers
    };

    /// False: cancelled.
    boost::asio::awaitable<bool> live(bool until_drained);
    boost::asio::awaitable<bool> lives(running_parts& on);
    boost::asio::awaitable<void> serve(running_parts& on, kafka::consumer& source);
    boost::asio::awaitable<void> answer(running_parts& on, kafka::consumer& source,
                                        const kafka::rebalance& change);
    boost::asio::awaitable<void> start_workers(running_parts& on, kafka::consumer& source,
                                               std::vector<kafka::topic_partition> partitions);
    boost::asio::awaitable<void> stop_workers(running_parts& on);
    boost::asio::awaitable<void> leave(running_parts& on, kafka::consumer& source);
    bool note_ends(const running_parts& on);
    bool is_drained(const running_parts& on);

    consumer_settings settings;
    pg::pool& database;
    boost::asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    system_clock time;
    handlers all;
    bool has_assignment = false;
    bool broker_down = false;
    bool draining = false;
    /// While draining: where each partition ended when it was assigned first.
    std::map<kafka::topic_partition, std::int64_t> ends;
};

} // namespace relais::inbox
