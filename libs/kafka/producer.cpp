#include "kafka/producer.hpp"

#include "async/signal.hpp"
#include "kafka/errors.hpp"
#include "kafka/event_pump.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <unordered_map>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

using steady = std::chrono::steady_clock;

/// The series of one topic, looked up once.
struct topic_metrics {
    metrics::counter succeeded;
    metrics::counter failed;
    metrics::histogram seconds;
};

/// A record whose delivery report is awaited.
struct pending {
    producer::on_delivery done;
    steady::time_point sent_at;
    topic_metrics* counted_in = nullptr;
};

native::owned<rd_kafka_headers_t> to_native(const events::headers& fields) {
    native::owned<rd_kafka_headers_t> made(rd_kafka_headers_new(fields.size()));
    for (const auto& [name, value] : fields) {
        rd_kafka_header_add(made.get(), name.c_str(), static_cast<ssize_t>(name.size()),
                            value.data(), static_cast<ssize_t>(value.size()));
    }
    return made;
}

native::owned<rd_kafka_conf_t> configure(const producer_settings& settings) {
    return native::make_conf(
        settings.brokers, settings.client_id,
        {{"enable.idempotence", "true"},
         {"acks", "all"},
         {"enable.gapless.guarantee", "true"},
         {"message.timeout.ms", "0"}, // never give up: a dropped record would be a gap
         {"linger.ms", std::to_string(settings.linger.count())},
         {"queue.buffering.max.messages", std::to_string(settings.queue_max_messages)},
         {"partitioner", "murmur2_random"},
         {"compression.codec", "lz4"},
         {"topic.metadata.propagation.max.ms",
          std::to_string(settings.unknown_topic_after.count())},
         {"topic.metadata.refresh.fast.interval.ms", "50"}});
}

} // namespace

struct producer::state {
    state(producer_settings given, asio::io_context& event_loop, metrics::registry& registry,
          log::logger to)
        : settings(std::move(given)), loop(event_loop), metrics(registry), logger(std::move(to)),
          changed(event_loop) {
        auto conf = configure(settings);
        rd_kafka_conf_set_events(conf.get(),
                                 RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
        client = native::make_client(RD_KAFKA_PRODUCER, std::move(conf));
        rd_kafka_set_log_queue(client, nullptr);
        pump.emplace(loop, native::owned<rd_kafka_queue_t>(rd_kafka_queue_get_main(client)),
                     [this](rd_kafka_event_t& event) { handle(event); });
        queued = metrics.gauge("kafka_producer_queue_messages", "Records not yet acknowledged",
                               {{"client", settings.client_id}});
        // A handle keeps the topic's metadata fresh; making it asks for them.
        for (const auto& name : settings.topics) {
            known_topic(name);
        }
    }

    ~state() {
        rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                   RD_KAFKA_PURGE_F_NON_BLOCKING);
        pump.reset();
        topics.clear();
        rd_kafka_destroy(client);
        queued.set(0);
    }

    state(const state&) = delete;
    state& operator=(const state&) = delete;

    rd_kafka_topic_t* known_topic(const std::string& name) {
        auto& handle = topics[name];
        if (!handle) {
            handle.reset(
                rd_kafka_topic_new(client, (settings.topic_prefix + name).c_str(), nullptr));
        }
        return handle.get();
    }

    topic_metrics& metrics_of(const std::string& topic) {
        const auto known = counted.find(topic);
        if (known != counted.end()) {
            return known->second;
        }
        const auto total = [&](const char* outcome) {
            return metrics.counter("kafka_producer_delivery_total", "Delivery reports",
                                   {{"topic", topic}, {"result", outcome}});
        };
        topic_metrics made{total("ok"), total("failed"),
                           metrics.histogram("kafka_producer_delivery_duration_seconds",
                                             "From send to the broker's answer",
                                             metrics::delivery_seconds(), {{"topic", topic}})};
        return counted.emplace(topic, made).first->second;
    }

    void handle(rd_kafka_event_t& event) {
        switch (rd_kafka_event_type(&event)) {
        case RD_KAFKA_EVENT_DR:
            while (const auto* message = rd_kafka_event_message_next(&event)) {
                settle(*message);
            }
            break;
        case RD_KAFKA_EVENT_ERROR:
            report(event);
            break;
        case RD_KAFKA_EVENT_LOG:
            native::log_native(event, logger);
            break;
        default:
            break;
        }
    }

    void settle(const rd_kafka_message_t& message) {
        const auto found = in_flight.find(message._private);
        if (found == in_flight.end()) {
            return;
        }
        const auto waiting = std::move(found->second);
        in_flight.erase(found);
        queued.set(static_cast<double>(in_flight.size()));
        const std::chrono::duration<double> took = steady::now() - waiting->sent_at;
        waiting->counted_in->seconds.observe(took.count());
        if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            waiting->counted_in->succeeded.increment();
            waiting->done(delivery{message.partition, message.offset});
        } else {
            waiting->counted_in->failed.increment();
            auto reason = classify(message.err, rd_kafka_err2str(message.err));
            logger.warn("kafka.delivery_failed",
                        {{"slug", reason.slug}, {"detail", reason.detail}});
            waiting->done(std::unexpected(std::move(reason)));
        }
        if (in_flight.empty()) {
            changed.notify_all();
        }
    }

    void report(rd_kafka_event_t& event) {
        const auto code = rd_kafka_event_error(&event);
        if (rd_kafka_event_error_is_fatal(&event) != 0) {
            is_fatal = true;
        }
        const auto reason = classify(code, rd_kafka_event_error_string(&event));
        logger.warn("kafka.producer_error",
                    {{"slug", reason.slug}, {"detail", reason.detail}, {"fatal", is_fatal}});
    }

    producer_settings settings;
    asio::io_context& loop;
    metrics::registry& metrics;
    log::logger logger;
    async::signal changed; ///< nothing is in flight any more
    rd_kafka_t* client = nullptr;
    std::optional<native::event_pump> pump;
    std::map<std::string, native::owned<rd_kafka_topic_t>> topics;
    std::map<std::string, topic_metrics> counted;
    std::unordered_map<void*, std::unique_ptr<pending>> in_flight; ///< by its own address
    metrics::gauge queued;
    bool is_fatal = false;
};

producer::producer(producer_settings settings, asio::io_context& loop, metrics::registry& metrics,
                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), loop, metrics, std::move(logger))) {}

producer::~producer() = default;

result<void> producer::send(const record& value, on_delivery done) {
    if (state_->is_fatal) {
        return fail(error_kind::internal, "producer-fatal");
    }
    auto waiting = std::make_unique<pending>(
        pending{std::move(done), steady::now(), &state_->metrics_of(value.topic)});
    auto headers = to_native(value.headers);
    // A null pointer would make it a tombstone, also when the size is 0.
    const char* const payload = value.value ? value.value->c_str() : nullptr;
    const std::size_t size = value.value ? value.value->size() : 0;
    const std::int64_t time_ms =
        std::chrono::floor<std::chrono::milliseconds>(value.time.time_since_epoch()).count();
    // producev, not produceva: that one frees the headers twice when the partition is unknown.
    const auto code = rd_kafka_producev(
        state_->client, RD_KAFKA_V_RKT(state_->known_topic(value.topic)),
        RD_KAFKA_V_PARTITION(value.partition), RD_KAFKA_V_KEY(value.key.data(), value.key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(payload), size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers.get()),
        RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_OPAQUE(waiting.get()), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(classify(code, value.topic));
    }
    [[maybe_unused]] auto* const given = headers.release(); // the record owns them now
    void* const place = waiting.get();
    state_->in_flight.emplace(place, std::move(waiting));
    state_->queued.set(static_cast<double>(state_->in_flight.size()));
    return {};
}

asio::awaitable<result<delivery>> producer::send(record value) {
    struct answer {
        explicit answer(asio::io_context& loop) : arrived(loop) {}

        async::signal arrived;
        std::optional<result<delivery>> outcome;
    };

    // Shared with the delivery report, which may come after the waiting task was cancelled.
    auto shared = std::make_shared<answer>(state_->loop);
    const auto queued = send(value, [shared](result<delivery> outcome) {
        shared->outcome = std::move(outcome);
        shared->arrived.notify_all();
    });
    if (!queued) {
        co_return fail(queued);
    }
    while (!shared->outcome) {
        co_await shared->arrived.wait();
    }
    co_return *std::move(shared->outcome);
}

asio::awaitable<result<void>> producer::flush(std::chrono::milliseconds at_most) {
    const auto until = steady::now() + at_most;
    while (!state_->in_flight.empty()) {
        const auto left = until - steady::now();
        if (left <= steady::duration::zero()) {
            co_return fail(error_kind::timeout, "producer-flush",
                           fmt::format("{} records are still in flight", state_->in_flight.size()));
        }
        co_await state_->changed.wait_for(left);
    }
    co_return result<void>();
}

bool producer::fatal() const {
    return state_->is_fatal;
}

std::size_t producer::in_flight() const {
    return state_->in_flight.size();
}

} // namespace relais::kafka
