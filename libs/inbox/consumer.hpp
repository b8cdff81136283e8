#pragma once

#include "events/event.hpp"
#include "inbox/policy.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::inbox {

struct consumer_settings {
    std::string brokers;
    std::string group;    ///< the service's name
    std::string instance; ///< static membership: stable over restarts of this instance
    std::size_t batch_max = 200;
    std::size_t memory_max_bytes = std::size_t{8} * 1024 * 1024;
};

/// What a handler is told beside the message.
struct context {
    const events::event& event;
    events::cause cause; ///< for events that follow from this one
    timestamp now{};
    std::uint32_t attempt = 1; ///< counted before the run, so a crash counts too
};

/// Consumes topics into the service's database. A handler runs in a transaction that also moves the
/// partition's watermark, so its effects happen exactly once; keys are handled strictly in order; a
/// key whose event waits for a retry (or for a snapshot) parks its followers while the others flow.
/// Unknown types are skipped and counted, undecodable bytes become dead letters at once.
/// Register handlers first, then run(). Metrics: kafka_consumer_*, inbox_*.
class consumer {
public:
    using raw_handler =
        std::function<result<void>(pg::transaction&, const events::event&, const context&)>;

    consumer(consumer_settings settings, pg::pool& database, boost::asio::io_context& loop,
             metrics::registry& metrics, log::logger logger);
    ~consumer();

    /// handler: result<void>(pg::transaction&, const Message&, const context&). It must only touch
    /// the database; anything outside is done later from a row it wrote (tx.after_commit to wake a
    /// sender).
    template <class Message, class Handler>
    void on(policy failures, Handler handler) {
        const std::string type = Message::descriptor()->full_name();
        auto decoded = [handler = std::move(handler)](pg::transaction& tx,
                                                      const events::event& event,
                                                      const context& about) -> result<void> {
            auto message = events::decode<Message>(event);
            if (!message) {
                return fail(message);
            }
            return handler(tx, *message, about);
        };
        add_handler(type, topic_of(*Message::descriptor()), failures, std::move(decoded));
    }

    /// As on(), for a snapshot message. `kind` ("contact", "job") is what other events' needs name;
    /// the message has fields `version` and its key. erase(tx, key, context) handles the tombstone.
    /// Older or equal versions are not given to the handler. Its arrival wakes events that wait for
    /// it.
    template <class Message, class Handler>
    void on_snapshot(
        std::string kind, policy failures, Handler handler,
        std::function<result<void>(pg::transaction&, const std::string& key, const context&)>
            erase) {
        on<Message>(failures, std::move(handler));
        add_snapshot(std::move(kind), Message::descriptor()->full_name(),
                     topic_of(*Message::descriptor()), std::move(erase));
    }

    /// Runs until cancelled; then finishes what is being handled.
    boost::asio::awaitable<void> run();

    /// Has partitions, or is alone waiting for the broker: readiness.
    bool assigned() const;

private:
    static std::string topic_of(const google::protobuf::Descriptor& message);
    void add_handler(std::string type, std::string topic, policy failures, raw_handler handler);
    void add_snapshot(
        std::string kind, std::string type, std::string topic,
        std::function<result<void>(pg::transaction&, const std::string&, const context&)> erase);

    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::inbox
