#include "kafka/broadcast_reader.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "async/worker_pool.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"

#include <fmt/ranges.h>

#include <map>
#include <optional>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

constexpr async::backoff retry_wait{std::chrono::milliseconds(200),
                                    std::chrono::milliseconds(5'000)};
/// Also how long stopping may have to wait for it.
constexpr std::chrono::milliseconds lookup_timeout{2'000};
constexpr std::size_t records_per_turn = 500;
constexpr std::size_t bytes_per_turn = std::size_t{4} * 1024 * 1024;

struct reading {
    topic_partition where;
    std::int64_t next = 0;
    std::int64_t end_at_start = 0;
};

std::string names_of(const std::vector<std::string>& topics) {
    return fmt::format("{}", fmt::join(topics, ","));
}

/// Asks the broker where to begin. Blocks.
result<std::vector<reading>> find_starts(const broadcast_settings& settings, timestamp since) {
    admin broker(settings.brokers, settings.client_id, lookup_timeout);
    std::vector<reading> all;
    for (const auto& topic : settings.topics) {
        const auto ranges = broker.offsets_since(settings.topic_prefix + topic, since);
        if (!ranges) {
            return fail(ranges);
        }
        for (const auto& range : *ranges) {
            all.push_back({{topic, range.partition}, range.first, range.next});
        }
    }
    return all;
}

} // namespace

struct broadcast_reader::state {
    state(broadcast_settings given, handler to, asio::io_context& io, metrics::registry& registry,
          log::logger log)
        : settings(std::move(given)), on_record(std::move(to)), loop(io), metrics(registry),
          logger(std::move(log)),
          lookups({.name = "kafka-lookup", .threads = 1, .queue_max = 1}, registry),
          read(registry.counter("kafka_broadcast_records_total", "Records read without a group",
                                {{"topics", names_of(settings.topics)}})),
          ready(registry.gauge("kafka_broadcast_caught_up", "1 when all that was there is read",
                               {{"topics", names_of(settings.topics)}})) {}

    asio::awaitable<std::vector<reading>> wait_for_starts();
    bool read_available(consumer& from, reading& each) const;

    broadcast_settings settings;
    handler on_record;
    asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    async::worker_pool lookups;
    metrics::counter read;
    metrics::gauge ready;
    bool caught_up = false;
};

asio::awaitable<std::vector<reading>> broadcast_reader::state::wait_for_starts() {
    const system_clock time;
    const timestamp since = time.now() - settings.read_back;
    for (unsigned tries = 1;; ++tries) {
        auto find = [this, since](std::size_t) {
            return find_starts(settings, since);
        };
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        auto starts = co_await lookups.run(std::move(find), until);
        if (starts) {
            co_return *std::move(starts);
        }
        logger.warn("kafka.broadcast_waits",
                    {{"slug", starts.error().slug}, {"detail", starts.error().detail}});
        co_await async::sleep_for(retry_wait.wait(std::min(tries, 10U)));
    }
}

/// True when there may be more at once.
bool broadcast_reader::state::read_available(consumer& from, reading& each) const {
    const auto records = from.take(each.where, records_per_turn, bytes_per_turn);
    for (const auto& record : records) {
        each.next = record.offset + 1;
        read.increment();
        on_record(record);
    }
    return !records.empty();
}

broadcast_reader::broadcast_reader(broadcast_settings settings, handler on_record,
                                   asio::io_context& loop, metrics::registry& metrics,
                                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), std::move(on_record), loop, metrics,
                                     std::move(logger))) {}

broadcast_reader::~broadcast_reader() = default;

asio::awaitable<void> broadcast_reader::run() {
    auto readings = co_await state_->wait_for_starts();
    consumer source({.brokers = state_->settings.brokers,
                     .client_id = state_->settings.client_id,
                     .group = state_->settings.client_id, // needed, but never joined
                     .topic_prefix = state_->settings.topic_prefix},
                    state_->loop, state_->metrics, state_->logger);
    std::vector<partition_start> starts;
    starts.reserve(readings.size());
    for (const auto& each : readings) {
        starts.push_back({each.where, each.next});
    }
    source.assign(starts);
    while (true) {
        bool more = false;
        bool all_read = true;
        for (auto& each : readings) {
            const bool some = state_->read_available(source, each);
            more = more || some;
            all_read = all_read && each.next >= each.end_at_start;
        }
        if (all_read && !state_->caught_up) {
            state_->caught_up = true;
            state_->ready.set(1);
            state_->logger.info("kafka.broadcast_caught_up");
        }
        if (!more) {
            co_await source.wait();
        }
    }
}

bool broadcast_reader::caught_up() const {
    return state_->caught_up;
}

} // namespace relais::kafka
