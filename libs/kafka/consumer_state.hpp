#pragma once

// For the .cpp files of this library only.

#include "async/signal.hpp"
#include "kafka/consumer.hpp"
#include "kafka/event_pump.hpp"

#include <deque>
#include <map>

namespace relais::kafka {

native::owned<rd_kafka_topic_partition_list_t> make_list(std::size_t size);

/// The client of a consumer, and what its events say.
struct consumer::state {
    state(consumer_settings given, boost::asio::io_context& loop, metrics::registry& metrics,
          log::logger to);
    ~state();
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void handle(rd_kafka_event_t& event);
    void unassign();
    void release_queues();
    /// Counts and logs a failure.
    void note(rd_kafka_resp_err_t code, std::string_view what);

    consumer_settings settings;
    log::logger logger;
    async::signal changed;
    rd_kafka_t* client = nullptr;
    std::optional<native::event_pump> pump;
    native::owned<rd_kafka_queue_t> closing; ///< set once close() has begun
    std::map<topic_partition, native::owned<rd_kafka_queue_t>> queues;
    std::map<topic_partition, std::int64_t> ends; ///< where nothing more came
    std::deque<rebalance> pending;
    metrics::counter rebalances;
    metrics::counter errors;
    metrics::gauge partitions;
    bool is_down = false;
    bool is_fatal = false;

private:
    void subscribe();
    topic_partition named(const rd_kafka_topic_partition_t& native) const;
    void on_rebalance(rd_kafka_event_t& event);
    void on_error(rd_kafka_event_t& event);
    void wake();
};

} // namespace relais::kafka
