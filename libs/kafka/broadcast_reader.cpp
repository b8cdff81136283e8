#include "kafka/broadcast_reader.hpp"

#include "async/signal.hpp"
#include "async/worker_pool.hpp"
#include "events/topics.hpp"
#include "kafka/consumer.hpp"
#include "kafka/errors.hpp"
#include "kafka/native.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

constexpr int ask_timeout_ms = 5'000;
constexpr std::chrono::milliseconds ask_again{500};
constexpr std::size_t records_at_once = 500;
constexpr std::size_t bytes_at_once = std::size_t{1} * 1024 * 1024;

/// Where reading begins, and where the partition ended when it did.
struct partition_range {
    topic_partition where;
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

struct client_destroy {
    void operator()(rd_kafka_t* client) const {
        rd_kafka_destroy(client);
    }
};

/// Blocks: asks the broker for the offsets at a time and for the ends.
result<std::vector<partition_range>> ask_ranges(const broadcast_settings& settings,
                                                timestamp since) {
    const std::unique_ptr<rd_kafka_t, client_destroy> client(native::make_client(
        RD_KAFKA_PRODUCER, native::make_conf(settings.brokers, settings.client_id, {})));
    const native::owned<rd_kafka_topic_partition_list_t> list(
        rd_kafka_topic_partition_list_new(16));
    const auto since_ms =
        std::chrono::floor<std::chrono::milliseconds>(since).time_since_epoch().count();
    for (const auto& name : settings.topics) {
        const auto* topic = events::find_topic(name);
        const auto partitions = topic == nullptr ? 1 : topic->partitions;
        for (std::uint32_t i = 0; i < partitions; ++i) {
            rd_kafka_topic_partition_list_add(list.get(), name.c_str(),
                                              static_cast<std::int32_t>(i))
                ->offset = since_ms;
        }
    }
    const auto code = rd_kafka_offsets_for_times(client.get(), list.get(), ask_timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(classify(code, "offsets for times"));
    }
    std::vector<partition_range> out;
    for (int i = 0; i < list->cnt; ++i) {
        const auto& entry = list->elems[i];
        std::int64_t first = 0;
        std::int64_t end = 0;
        const auto asked = rd_kafka_query_watermark_offsets(
            client.get(), entry.topic, entry.partition, &first, &end, ask_timeout_ms);
        if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return std::unexpected(classify(asked, "watermark offsets"));
        }
        // A negative offset says that nothing is as young as that.
        out.push_back({{entry.topic, entry.partition}, entry.offset < 0 ? end : entry.offset, end});
    }
    return out;
}

} // namespace

struct broadcast_reader::state {
    broadcast_settings settings;
    handler on_record;
    asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    async::worker_pool pool;
    metrics::counter read;
    metrics::gauge caught_up_gauge;
    std::map<topic_partition, std::int64_t> missing; ///< ends not reached yet
    bool caught_up = false;

    state(broadcast_settings given, handler give, asio::io_context& io, metrics::registry& all,
          log::logger to)
        : settings(std::move(given)), on_record(std::move(give)), loop(io), metrics(all),
          logger(std::move(to)), pool({"kafka-broadcast", 1, 4}, all),
          read(all.counter("kafka_broadcast_records_total", "Records read without a group")),
          caught_up_gauge(all.gauge("kafka_broadcast_caught_up",
                                    "1 when read to the end as it was at start")) {}

    asio::awaitable<std::vector<partition_range>> ranges();
    void note_progress(const topic_partition& where, std::int64_t next);
};

asio::awaitable<std::vector<partition_range>> broadcast_reader::state::ranges() {
    while (true) {
        const auto since =
            std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) -
            settings.read_back;
        auto job = [this, since](std::size_t) {
            return ask_ranges(settings, since);
        };
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        auto found = co_await pool.run(std::move(job), until);
        if (found) {
            co_return std::move(*found);
        }
        logger.warn("kafka.broadcast_waits",
                    {{"error", found.error().slug}, {"detail", found.error().detail}});
        co_await async::sleep_for(ask_again);
    }
}

void broadcast_reader::state::note_progress(const topic_partition& where, std::int64_t next) {
    const auto open = missing.find(where);
    if (open != missing.end() && next >= open->second) {
        missing.erase(open);
    }
    if (!caught_up && missing.empty()) {
        caught_up = true;
        caught_up_gauge.set(1);
        logger.info("kafka.broadcast_caught_up");
    }
}

broadcast_reader::broadcast_reader(broadcast_settings settings, handler on_record,
                                   asio::io_context& loop, metrics::registry& metrics,
                                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), std::move(on_record), loop, metrics,
                                     std::move(logger))) {}

broadcast_reader::~broadcast_reader() = default;

asio::awaitable<void> broadcast_reader::run() {
    const auto ranges = co_await state_->ranges();
    consumer_settings settings;
    settings.brokers = state_->settings.brokers;
    settings.client_id = state_->settings.client_id;
    settings.group = "relais-broadcast"; // never joined: partitions are assigned by hand
    consumer reader(settings, state_->loop, state_->metrics, state_->logger);
    std::vector<partition_start> starts;
    for (const auto& [where, begin, end] : ranges) {
        starts.push_back({where, begin});
        if (begin < end) {
            state_->missing.emplace(where, end);
        }
    }
    reader.assign(starts);
    if (!starts.empty()) {
        state_->note_progress(starts.front().where, 0);
    }
    while (true) {
        bool found = false;
        for (const auto& [where, begin, end] : ranges) {
            const auto records = reader.take(where, records_at_once, bytes_at_once);
            for (const auto& each : records) {
                state_->read.increment();
                state_->on_record(each);
                state_->note_progress(where, each.offset + 1);
            }
            found = found || !records.empty();
        }
        if (found) {
            co_await asio::post(state_->loop, asio::use_awaitable); // others have their turn
        } else {
            co_await reader.wait();
        }
    }
}

bool broadcast_reader::caught_up() const {
    return state_->caught_up;
}

} // namespace relais::kafka
