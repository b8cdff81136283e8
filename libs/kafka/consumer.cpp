#include "kafka/consumer.hpp"

#include "async/signal.hpp"
#include "kafka/errors.hpp"
#include "kafka/event_pump.hpp"

#include <deque>
#include <map>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

using steady = std::chrono::steady_clock;

native::owned<rd_kafka_conf_t> configure(const consumer_settings& settings) {
    const auto session_ms = settings.session_timeout.count();
    // Each partition has a queue of its own, so the limit on memory is shared out among them.
    const std::size_t shares = std::max<std::size_t>(settings.topics.size() * 12, 12);
    const std::size_t share_bytes =
        std::max<std::size_t>(settings.memory_max_bytes / shares, std::size_t{64} * 1024);
    auto conf =
        native::make_conf(settings.brokers, settings.client_id,
                          {{"group.id", settings.group},
                           {"partition.assignment.strategy", "range"},
                           {"session.timeout.ms", std::to_string(session_ms)},
                           {"heartbeat.interval.ms", std::to_string(session_ms / 4)},
                           {"enable.auto.commit", settings.topics.empty() ? "false" : "true"},
                           {"auto.commit.interval.ms", "1000"},
                           {"enable.auto.offset.store", "false"},
                           {"auto.offset.reset", "earliest"},
                           {"queued.min.messages", std::to_string(settings.queued_messages_min)},
                           {"queued.max.messages.kbytes", std::to_string(share_bytes / 1024)},
                           {"fetch.message.max.bytes", std::to_string(share_bytes)},
                           // The defaults wait half a second and a whole one.
                           {"fetch.error.backoff.ms", "100"},
                           {"fetch.queue.backoff.ms", "20"},
                           // A topic that is made after we subscribed is found within this time.
                           {"topic.metadata.refresh.interval.ms", "5000"}});
    if (!settings.instance.empty()) {
        rd_kafka_conf_set(conf.get(), "group.instance.id", settings.instance.c_str(), nullptr, 0);
    }
    return conf;
}

native::owned<rd_kafka_topic_partition_list_t> make_list(std::size_t size) {
    return native::owned<rd_kafka_topic_partition_list_t>(
        rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

} // namespace

struct consumer::state {
    state(consumer_settings given, asio::io_context& loop, metrics::registry& metrics,
          log::logger to)
        : settings(std::move(given)), logger(std::move(to)), changed(loop) {
        auto conf = configure(settings);
        rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR |
                                                 RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_FETCH);
        client = native::make_client(RD_KAFKA_CONSUMER, std::move(conf));
        rd_kafka_poll_set_consumer(client);
        native::owned<rd_kafka_queue_t> main(rd_kafka_queue_get_consumer(client));
        rd_kafka_set_log_queue(client, main.get());
        rebalances = metrics.counter("kafka_consumer_rebalances_total", "Assignments received");
        partitions =
            metrics.gauge("kafka_consumer_assigned_partitions", "Partitions of this member");
        errors = metrics.counter("kafka_consumer_errors_total", "Errors of the Kafka client");
        pump.emplace(
            loop, std::move(main), [this](rd_kafka_event_t& event) { handle(event); },
            [this] { wake(); });
        subscribe();
    }

    ~state() {
        release_queues();
        if (closing) {
            rd_kafka_queue_io_event_enable(closing.get(), -1, nullptr, 0);
            closing.reset();
        }
        pump.reset();
        rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        partitions.set(0);
    }

    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void subscribe() {
        if (settings.topics.empty()) {
            return;
        }
        const auto list = make_list(settings.topics.size());
        for (const auto& topic : settings.topics) {
            rd_kafka_topic_partition_list_add(list.get(), (settings.topic_prefix + topic).c_str(),
                                              RD_KAFKA_PARTITION_UA);
        }
        note(rd_kafka_subscribe(client, list.get()), "subscribe");
    }

    void note(rd_kafka_resp_err_t code, std::string_view what) {
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            errors.increment();
            const auto reason = classify(code, what);
            logger.warn("kafka.consumer_error",
                        {{"slug", reason.slug}, {"detail", reason.detail}, {"fatal", is_fatal}});
        }
    }

    topic_partition named(const rd_kafka_topic_partition_t& native) const {
        return {std::string(native.topic).substr(settings.topic_prefix.size()), native.partition};
    }

    void handle(rd_kafka_event_t& event) {
        switch (rd_kafka_event_type(&event)) {
        case RD_KAFKA_EVENT_REBALANCE:
            on_rebalance(event);
            break;
        case RD_KAFKA_EVENT_ERROR:
            on_error(event);
            break;
        case RD_KAFKA_EVENT_LOG:
            native::log_native(event, logger);
            break;
        default:
            break;
        }
    }

    void on_rebalance(rd_kafka_event_t& event) {
        rebalances.increment();
        is_down = false;
        if (closing) {
            unassign();
            return;
        }
        rebalance change;
        if (rd_kafka_event_error(&event) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            change.what = rd_kafka_assignment_lost(client) != 0 ? rebalance::kind::lost
                                                                : rebalance::kind::revoked;
        }
        const auto* list = rd_kafka_event_topic_partition_list(&event);
        for (int i = 0; list != nullptr && i < list->cnt; ++i) {
            change.partitions.push_back(named(list->elems[i]));
        }
        pending.push_back(std::move(change));
    }

    void on_error(rd_kafka_event_t& event) {
        const auto code = rd_kafka_event_error(&event);
        if (rd_kafka_event_error_is_fatal(&event) != 0) {
            is_fatal = true;
        }
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            is_down = true;
        }
        note(code, rd_kafka_event_error_string(&event));
    }

    void wake() {
        if (closing) {
            while (const native::owned<rd_kafka_event_t> event{
                rd_kafka_queue_poll(closing.get(), 0)}) {
                handle(*event);
            }
        }
        changed.notify_all();
    }

    void unassign() {
        release_queues();
        note(rd_kafka_assign(client, nullptr), "unassign");
        partitions.set(0);
    }

    void release_queues() {
        for (auto& [where, queue] : queues) {
            rd_kafka_queue_io_event_enable(queue.get(), -1, nullptr, 0);
        }
        queues.clear();
    }

    consumer_settings settings;
    log::logger logger;
    async::signal changed;
    rd_kafka_t* client = nullptr;
    std::optional<native::event_pump> pump;
    native::owned<rd_kafka_queue_t> closing; ///< set once close() has begun
    std::map<topic_partition, native::owned<rd_kafka_queue_t>> queues;
    std::deque<rebalance> pending;
    metrics::counter rebalances;
    metrics::counter errors;
    metrics::gauge partitions;
    bool is_down = false;
    bool is_fatal = false;
};

consumer::consumer(consumer_settings settings, asio::io_context& loop, metrics::registry& metrics,
                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), loop, metrics, std::move(logger))) {}

consumer::~consumer() = default;

asio::awaitable<void> consumer::wait() {
    co_await state_->changed.wait();
}

std::optional<rebalance> consumer::take_rebalance() {
    if (state_->pending.empty()) {
        return std::nullopt;
    }
    auto next = std::move(state_->pending.front());
    state_->pending.pop_front();
    return next;
}

void consumer::assign(const std::vector<partition_start>& partitions) {
    state_->release_queues();
    const auto list = make_list(partitions.size());
    for (const auto& [where, offset] : partitions) {
        const std::string topic = state_->settings.topic_prefix + where.topic;
        auto* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), where.partition);
        entry->offset = offset.value_or(RD_KAFKA_OFFSET_BEGINNING);
        native::owned<rd_kafka_queue_t> queue(
            rd_kafka_queue_get_partition(state_->client, topic.c_str(), where.partition));
        rd_kafka_queue_forward(queue.get(), nullptr);
        state_->pump->wake_on(*queue);
        state_->queues.emplace(where, std::move(queue));
    }
    state_->note(rd_kafka_assign(state_->client, list.get()), "assign");
    state_->partitions.set(static_cast<double>(partitions.size()));
}

void consumer::unassign() {
    state_->unassign();
}

bool consumer::has_records(const topic_partition& from) const {
    const auto queue = state_->queues.find(from);
    return queue != state_->queues.end() && rd_kafka_queue_length(queue->second.get()) > 0;
}

std::vector<record> consumer::take(const topic_partition& from, std::size_t records_max,
                                   std::size_t bytes_max) {
    std::vector<record> taken;
    const auto queue = state_->queues.find(from);
    if (queue == state_->queues.end()) {
        return taken;
    }
    std::size_t bytes = 0;
    while (taken.size() < records_max && bytes < bytes_max) {
        const native::owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue->second.get(), 0));
        if (!event) {
            break;
        }
        if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_FETCH) {
            state_->handle(*event);
            continue;
        }
        while (const auto* message = rd_kafka_event_message_next(event.get())) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                taken.push_back(native::to_record(*message, state_->settings.topic_prefix));
                bytes += message->len + message->key_len;
            } else {
                state_->note(message->err, rd_kafka_message_errstr(message));
            }
        }
    }
    if (!taken.empty()) {
        state_->is_down = false;
    }
    return taken;
}

void consumer::store_offset(const topic_partition& where, std::int64_t next) {
    if (!state_->queues.contains(where)) {
        return;
    }
    const auto list = make_list(1);
    rd_kafka_topic_partition_list_add(
        list.get(), (state_->settings.topic_prefix + where.topic).c_str(), where.partition)
        ->offset = next;
    state_->note(rd_kafka_offsets_store(state_->client, list.get()), "store offset");
}

std::optional<std::int64_t> consumer::end_offset(const topic_partition& where) const {
    std::int64_t first = 0;
    std::int64_t next = 0;
    const auto code = rd_kafka_get_watermark_offsets(
        state_->client, (state_->settings.topic_prefix + where.topic).c_str(), where.partition,
        &first, &next);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || next < 0) {
        return std::nullopt;
    }
    return next;
}

bool consumer::broker_down() const {
    return state_->is_down;
}

bool consumer::fatal() const {
    return state_->is_fatal;
}

asio::awaitable<void> consumer::close(std::chrono::milliseconds at_most) {
    if (state_->settings.topics.empty() || state_->closing) {
        co_return;
    }
    state_->closing.reset(rd_kafka_queue_new(state_->client));
    state_->pump->wake_on(*state_->closing);
    if (!state_->pending.empty()) {
        state_->pending.clear();
        state_->unassign();
    }
    const native::owned<rd_kafka_error_t> refused(
        rd_kafka_consumer_close_queue(state_->client, state_->closing.get()));
    if (refused) {
        state_->note(rd_kafka_error_code(refused.get()), rd_kafka_error_string(refused.get()));
        co_return;
    }
    const auto until = steady::now() + at_most;
    while (rd_kafka_consumer_closed(state_->client) == 0 && steady::now() < until) {
        co_await state_->changed.wait_for(std::chrono::milliseconds(20));
    }
}

} // namespace relais::kafka
