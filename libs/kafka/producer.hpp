#pragma once

#include "kafka/record.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace relais::kafka {

struct producer_settings {
    std::string brokers;
    std::string client_id;
    std::chrono::milliseconds linger{0};
    std::size_t queue_max_messages = 100'000;
    std::string topic_prefix; ///< put before the name of every topic (shared clusters, tests)
    std::vector<std::string>
        topics; ///< looked up at the start, so that the first record need not wait
    /// How long a topic may be missing before records for it are refused: right after it was made,
    /// not every broker knows it.
    std::chrono::milliseconds unknown_topic_after{30'000};
};

/// Where a record ended up.
struct delivery {
    std::int32_t partition = -1;
    std::int64_t offset = -1;

    friend bool operator==(const delivery&, const delivery&) = default;
};

/// An idempotent producer (acks=all, gapless: after a message that failed for good nothing behind
/// it is sent and the producer is fatal()). Everything runs on the io_context's thread;
/// librdkafka's own threads never call us. While the broker is away records wait, without a limit
/// in time. Metrics: kafka_producer_*.
class producer {
public:
    using on_delivery = std::function<void(result<delivery>)>;

    producer(producer_settings settings, boost::asio::io_context& loop, metrics::registry& metrics,
             log::logger logger);

    /// What is still in flight may arrive or not; its `done` is not called any more. To know,
    /// flush().
    ~producer();
    producer(const producer&) = delete;
    producer& operator=(const producer&) = delete;

    /// Queues the record; `done` is called once, on the loop, when the broker has answered. It must
    /// not destroy the producer. Errors at once (done is not called): `unavailable` /
    /// "producer-queue-full", `invalid` / "record-too-large", `internal` / "producer-fatal".
    result<void> send(const record& value, on_delivery done);

    /// Waits for the delivery report. Cancelled, it stops waiting; the record is sent all the same.
    boost::asio::awaitable<result<delivery>> send(record value);

    /// Waits until nothing is in flight. Error: `timeout` / "producer-flush".
    boost::asio::awaitable<result<void>> flush(std::chrono::milliseconds at_most);

    /// The producer cannot go on (librdkafka fatal error): destroy it and make a new one.
    bool fatal() const;

    std::size_t in_flight() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::kafka
