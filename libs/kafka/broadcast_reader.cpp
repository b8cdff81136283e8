#include "kafka/broadcast_reader.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "async/worker_pool.hpp"
#include "kafka/admin.hpp"
#include "kafka/consumer.hpp"

#include <algorithm>
#include <optional>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

using steady = std::chrono::steady_clock;

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

/// One topic: not found yet, being read, caught up.
struct source_topic {
    broadcast_topic what;
    timestamp since;
    metrics::counter read;
    metrics::gauge ready;
    std::vector<reading> partitions; ///< none: not found yet
    bool caught_up = false;
};

/// What is asked of the broker on another thread, and its answer.
struct start_lookup {
    std::string topic;
    timestamp since;
    result<std::vector<offset_range>> found = std::vector<offset_range>();
};

} // namespace

struct broadcast_reader::state {
    state(broadcast_settings given, handler to, asio::io_context& io, metrics::registry& registry,
          log::logger log)
        : settings(std::move(given)), on_record(std::move(to)), loop(io), metrics(registry),
          logger(std::move(log)),
          lookups({.name = "kafka-lookup", .threads = 1, .queue_max = 1}, registry) {
        const system_clock time;
        for (const auto& each : settings.topics) {
            topics.push_back(
                {each,
                 time.now() - each.read_back,
                 registry.counter("kafka_broadcast_records_total", "Records read without a group",
                                  {{"topic", each.name}}),
                 registry.gauge("kafka_broadcast_caught_up", "1 when all that was there is read",
                                {{"topic", each.name}}),
                 {},
                 false});
        }
    }

    asio::awaitable<bool> look_for_more();
    std::vector<start_lookup> ask(std::vector<start_lookup> about);
    bool is_missing_some() const;
    void assign(consumer& to) const;
    bool read_available(consumer& from, source_topic& topic) const;

    broadcast_settings settings;
    handler on_record;
    asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    std::optional<admin> broker; ///< on the thread of the lookups; while something is missing
    std::vector<source_topic> topics;
    unsigned tries = 0;
    steady::time_point look_again = steady::time_point::min();
    async::worker_pool lookups; ///< last: its thread ends before what it uses
};

bool broadcast_reader::state::is_missing_some() const {
    return std::ranges::any_of(topics, [](const auto& each) { return each.partitions.empty(); });
}

/// Blocks. The client stays for the next try: making one costs a connection and two threads.
std::vector<start_lookup> broadcast_reader::state::ask(std::vector<start_lookup> about) {
    if (!broker) {
        broker.emplace(settings.brokers, settings.client_id, lookup_timeout);
    }
    for (auto& each : about) {
        each.found = broker->offsets_since(settings.topic_prefix + each.topic, each.since);
    }
    const bool all =
        std::ranges::all_of(about, [](const auto& each) { return each.found.has_value(); });
    if (all) {
        broker.reset();
    }
    return about;
}

/// Where to begin in the topics that are missing. True: some were found.
asio::awaitable<bool> broadcast_reader::state::look_for_more() {
    std::vector<start_lookup> about;
    for (const auto& each : topics) {
        if (each.partitions.empty()) {
            about.push_back({each.what.name, each.since});
        }
    }
    auto work = [this, about = std::move(about)](std::size_t) -> result<std::vector<start_lookup>> {
        return ask(about);
    };
    const auto answered =
        co_await lookups.run(std::move(work), steady::now() + std::chrono::minutes(1));
    look_again = steady::now() + retry_wait.wait(std::min(++tries, 10U));
    if (!answered) {
        logger.warn("kafka.broadcast_waits", {{"slug", answered.error().slug}});
        co_return false;
    }
    bool some = false;
    for (const auto& each : *answered) {
        if (!each.found) {
            logger.warn("kafka.broadcast_waits", {{"topic", each.topic},
                                                  {"slug", each.found.error().slug},
                                                  {"detail", each.found.error().detail}});
            continue;
        }
        auto& topic =
            *std::ranges::find(topics, each.topic, [](const auto& one) { return one.what.name; });
        for (const auto& range : *each.found) {
            topic.partitions.push_back({{each.topic, range.partition}, range.first, range.next});
        }
        some = true;
    }
    co_return some;
}

void broadcast_reader::state::assign(consumer& to) const {
    std::vector<partition_start> starts;
    for (const auto& topic : topics) {
        for (const auto& each : topic.partitions) {
            starts.push_back({each.where, each.next});
        }
    }
    to.assign(starts);
}

/// True when there may be more at once.
bool broadcast_reader::state::read_available(consumer& from, source_topic& topic) const {
    bool some = false;
    bool all_read = !topic.partitions.empty();
    for (auto& each : topic.partitions) {
        const auto records = from.take(each.where, records_per_turn, bytes_per_turn);
        for (const auto& record : records) {
            each.next = record.offset + 1;
            topic.read.increment();
            on_record(record);
        }
        some = some || !records.empty();
        all_read = all_read && each.next >= each.end_at_start;
    }
    if (all_read && !topic.caught_up) {
        topic.caught_up = true;
        topic.ready.set(1);
        logger.info("kafka.broadcast_caught_up", {{"topic", topic.what.name}});
    }
    return some;
}

broadcast_reader::broadcast_reader(broadcast_settings settings, handler on_record,
                                   asio::io_context& loop, metrics::registry& metrics,
                                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), std::move(on_record), loop, metrics,
                                     std::move(logger))) {}

broadcast_reader::~broadcast_reader() = default;

asio::awaitable<void> broadcast_reader::run() {
    auto& own = *state_;
    while (!co_await own.look_for_more()) {
        co_await async::sleep_for(
            std::chrono::ceil<std::chrono::milliseconds>(own.look_again - steady::now()));
    }
    consumer source({.brokers = own.settings.brokers,
                     .client_id = own.settings.client_id,
                     .group = own.settings.client_id, // needed, but never joined
                     .topic_prefix = own.settings.topic_prefix},
                    own.loop, own.metrics, own.logger);
    own.assign(source);
    while (true) {
        bool more = false;
        for (auto& each : own.topics) {
            more = own.read_available(source, each) || more;
        }
        if (own.is_missing_some() && steady::now() >= own.look_again &&
            co_await own.look_for_more()) {
            own.assign(source);
        }
        if (!more) {
            co_await source.wait();
        }
    }
}

bool broadcast_reader::caught_up() const {
    return std::ranges::all_of(state_->topics, &source_topic::caught_up);
}

bool broadcast_reader::caught_up(std::string_view topic) const {
    return std::ranges::any_of(state_->topics, [&](const auto& each) {
        return each.what.name == topic && each.caught_up;
    });
}

} // namespace relais::kafka
