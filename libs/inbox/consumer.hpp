#pragma once

#include "events/event.hpp"
#include "inbox/interceptor.hpp"
#include "inbox/policy.hpp"
#include "inbox/replay.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace relais::inbox {

struct consumer_settings {
    std::string brokers;
    std::string group; ///< the service's name
    /// Static membership: stable over restarts of this instance, unique in the group. A restart
    /// then takes its partitions back at once. Empty: an ordinary member.
    std::string instance;
    std::size_t batch_max = 1'000; ///< events in one transaction
    /// How many transactions a batch of one partition is divided among, by its keys, to be handled
    /// at a time; worth it where handlers wait for locks or long statements. May be changed at any
    /// start.
    int parallel_keys = 1;
    std::size_t memory_max_bytes = std::size_t{7} * 1024 * 1024;
    std::string topic_prefix; ///< before the name of every topic (shared clusters, tests)
    std::chrono::milliseconds session_timeout{10'000}; ///< then a dead instance's partitions move
    /// A handler that does not come back this long after its deadline (a loop without end, a lock
    /// of its own) holds a thread and a key for good: then the process ends, with exit code 70, and
    /// is started again. What makes a handler hang three times becomes a dead letter.
    std::chrono::milliseconds hang_limit{30'000};
};

/// What a handler is told beside the message.
struct context {
    const events::event& event;
    timestamp now{};
    std::uint32_t attempt = 1; ///< counted before the run, so a crash counts too

    /// For events that follow from this one.
    events::cause cause() const {
        return event.as_cause();
    }
};

/// One event of a batch, with its message.
template <class Message>
struct delivery {
    Message message;
    context about;
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
    /// `guilty`: set to the index of the event that the failure is about, when it is known.
    using raw_batch_handler = std::function<result<void>(pg::transaction&, std::span<const context>,
                                                         std::optional<std::size_t>& guilty)>;
    using is_newer = std::function<bool(std::uint64_t version)>;
    /// False: it is not newer than what is here.
    using snapshot_handler = std::function<result<bool>(pg::transaction&, const events::event&,
                                                        const context&, const is_newer&)>;
    using erase_handler =
        std::function<result<void>(pg::transaction&, const std::string& key, const context&)>;

    consumer(consumer_settings settings, pg::pool& database, boost::asio::io_context& loop,
             metrics::registry& metrics, log::logger logger);
    ~consumer();

    /// handler: result<void>(pg::transaction&, const Message&, const context&). It must only touch
    /// the database; anything outside is done later from a row it wrote (tx.after_commit to wake a
    /// sender). Many events may share a transaction; one that fails is run again alone.
    template <class Message, class Handler>
    void on(policy failures, Handler handler) {
        auto decoded = [handler = std::move(handler)](pg::transaction& tx,
                                                      const events::event& event,
                                                      const context& about) -> result<void> {
            auto message = events::decode<Message>(event);
            if (!message) {
                return fail(message);
            }
            return handler(tx, *message, about);
        };
        add_handler(*Message::descriptor(), failures, std::move(decoded));
    }

    /// As on(), for a handler that takes many events at once, at most one of each key:
    /// result<void>(pg::transaction&, std::span<const delivery<Message>>). One statement for all of
    /// them is several times as fast as one for each. When it fails, smaller batches are tried
    /// until the event that fails stands alone; its policy applies to that one only.
    template <class Message, class Handler>
    void on_batch(policy failures, Handler handler) {
        auto decoded =
            [handler = std::move(handler)](pg::transaction& tx, std::span<const context> events,
                                           std::optional<std::size_t>& guilty) -> result<void> {
            std::vector<delivery<Message>> batch;
            batch.reserve(events.size());
            for (const auto& about : events) {
                auto message = events::decode<Message>(about.event);
                if (!message) {
                    guilty = batch.size();
                    return fail(message);
                }
                batch.push_back({*std::move(message), about});
            }
            return handler(tx, std::span<const delivery<Message>>(batch));
        };
        add_batch_handler(*Message::descriptor(), failures, std::move(decoded));
    }

    /// As on(), for a snapshot message. `kind` ("contact", "job") is what other events' needs name;
    /// the message has fields `version` and its key. erase(tx, key, context) handles the tombstone.
    /// Older or equal versions are not given to the handler. Its arrival wakes events that wait for
    /// it; one that was erased wakes them too.
    template <class Message, class Handler>
    void on_snapshot(std::string kind, policy failures, Handler handler, erase_handler erase) {
        auto decoded = [handler = std::move(handler)](
                           pg::transaction& tx, const events::event& event, const context& about,
                           const is_newer& newer) -> result<bool> {
            auto message = events::decode<Message>(event);
            if (!message) {
                return fail(message);
            }
            if (!newer(message->version())) {
                return false;
            }
            auto kept = handler(tx, *message, about);
            if (!kept) {
                return fail(kept);
            }
            return true;
        };
        add_snapshot(*Message::descriptor(), std::move(kind), failures, std::move(decoded),
                     std::move(erase));
    }

    /// Adds what is to happen around every event.
    void intercept(interceptor around);

    /// Runs until cancelled; then finishes what is being handled. Outages of broker and database
    /// are waited out.
    boost::asio::awaitable<void> run();

    /// Consumes what is there at the moment, then returns: for one-off runs. Keys that are held
    /// stay held. Waits for as long as broker or database are away; can be cancelled as run(): then
    /// false.
    boost::asio::awaitable<bool> drain();

    /// Runs events of a topic through the handlers once more, beside the group: its offsets and
    /// watermarks stay. Muted, nothing is kept, but the effects are told. Errors: of the broker.
    boost::asio::awaitable<result<replay_progress>> replay(replay_request what,
                                                           replay_report report);

    /// Runs the handler of an event in the caller's transaction, at once and without Kafka, with
    /// interceptors but without watermark, retries and dead letters: for tests and developers'
    /// machines. True: there is a handler. Its error is returned.
    result<bool> handle_inline(pg::transaction& tx, const events::event& event, timestamp now);

    /// Has its place in the group, or waits for a broker that is down: readiness.
    bool assigned() const;

private:
    void add_handler(const google::protobuf::Descriptor& type, policy failures,
                     raw_handler handler);
    void add_batch_handler(const google::protobuf::Descriptor& type, policy failures,
                           raw_batch_handler handler);
    void add_snapshot(const google::protobuf::Descriptor& type, std::string kind, policy failures,
                      snapshot_handler handler, erase_handler erase);

    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::inbox
