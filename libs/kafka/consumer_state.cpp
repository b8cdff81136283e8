#include "kafka/consumer_state.hpp"

#include "kafka/errors.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

native::owned<rd_kafka_conf_t> configure(const consumer_settings& settings) {
    const auto session_ms = settings.session_timeout.count();
    // Each partition has a queue of its own, so the limit on memory is shared out among them. A
    // fetched byte becomes about five: records are compressed, and each is an object here.
    const std::size_t shares = std::max<std::size_t>(settings.topics.size() * 12, 12);
    const std::size_t share_bytes =
        std::max<std::size_t>(settings.memory_max_bytes / shares, std::size_t{64} * 1024);
    const std::size_t fetch_bytes = std::max<std::size_t>(share_bytes / 4, std::size_t{64} * 1024);
    auto conf =
        native::make_conf(settings.brokers, settings.client_id,
                          {{"group.id", settings.group},
                           {"partition.assignment.strategy", "range"},
                           {"session.timeout.ms", std::to_string(session_ms)},
                           {"heartbeat.interval.ms", std::to_string(session_ms / 4)},
                           // How long a rebalance waits for a member that is busy.
                           {"max.poll.interval.ms", "60000"},
                           {"enable.auto.commit", settings.topics.empty() ? "false" : "true"},
                           {"auto.commit.interval.ms", "1000"},
                           {"enable.auto.offset.store", "false"},
                           {"auto.offset.reset", "earliest"},
                           {"enable.partition.eof", settings.tells_ends ? "true" : "false"},
                           {"queued.min.messages", std::to_string(settings.queued_messages_min)},
                           {"queued.max.messages.kbytes", std::to_string(share_bytes / 1024)},
                           {"fetch.message.max.bytes", std::to_string(fetch_bytes)},
                           // One request is under way at a time. One for partitions that have
                           // nothing new holds up those whose queue was full when it was sent: half
                           // a second by default, which cost two thirds of the throughput.
                           {"fetch.wait.max.ms", "25"},
                           // A commit that waits for a broker that went away holds up leaving the
                           // group, and so coming back, until it is given up: by default a minute.
                           {"socket.timeout.ms", std::to_string(session_ms)},
                           // The defaults wait half a second and a whole one.
                           {"fetch.error.backoff.ms", "100"},
                           {"fetch.queue.backoff.ms", "5"},
                           // A topic that is made after we subscribed is found within this time.
                           {"topic.metadata.refresh.interval.ms", "5000"}});
    if (!settings.instance.empty()) {
        rd_kafka_conf_set(conf.get(), "group.instance.id", settings.instance.c_str(), nullptr, 0);
    }
    return conf;
}

} // namespace

native::owned<rd_kafka_topic_partition_list_t> make_list(std::size_t size) {
    return native::owned<rd_kafka_topic_partition_list_t>(
        rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

consumer::state::state(consumer_settings given, asio::io_context& loop, metrics::registry& metrics,
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
    partitions = metrics.gauge("kafka_consumer_assigned_partitions", "Partitions of this member");
    errors = metrics.counter("kafka_consumer_errors_total", "Errors of the Kafka client");
    pump.emplace(
        loop, std::move(main), [this](rd_kafka_event_t& event) { handle(event); },
        [this] { wake(); });
    subscribe();
}

consumer::state::~state() {
    release_queues();
    if (closing) {
        rd_kafka_queue_io_event_enable(closing.get(), -1, nullptr, 0);
        closing.reset();
    }
    pump.reset();
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    partitions.set(0);
}

void consumer::state::subscribe() {
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

void consumer::state::note(rd_kafka_resp_err_t code, std::string_view what) {
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        errors.increment();
        const auto reason = classify(code, what);
        logger.warn("kafka.consumer_error",
                    {{"slug", reason.slug}, {"detail", reason.detail}, {"fatal", is_fatal}});
    }
}

topic_partition consumer::state::named(const rd_kafka_topic_partition_t& native) const {
    return {std::string(native.topic).substr(settings.topic_prefix.size()), native.partition};
}

void consumer::state::handle(rd_kafka_event_t& event) {
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

void consumer::state::on_rebalance(rd_kafka_event_t& event) {
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

void consumer::state::on_error(rd_kafka_event_t& event) {
    const auto code = rd_kafka_event_error(&event);
    if (rd_kafka_event_error_is_fatal(&event) != 0) {
        is_fatal = true;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        is_down = true;
    }
    note(code, rd_kafka_event_error_string(&event));
}

void consumer::state::wake() {
    if (closing) {
        while (const native::owned<rd_kafka_event_t> event{rd_kafka_queue_poll(closing.get(), 0)}) {
            handle(*event);
        }
    }
    changed.notify_all();
}

void consumer::state::unassign() {
    release_queues();
    note(rd_kafka_assign(client, nullptr), "unassign");
    partitions.set(0);
}

void consumer::state::release_queues() {
    for (auto& [where, queue] : queues) {
        rd_kafka_queue_io_event_enable(queue.get(), -1, nullptr, 0);
    }
    queues.clear();
}

} // namespace relais::kafka
