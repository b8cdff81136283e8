#pragma once

// For the .cpp files of this library only.

#include "kafka/native.hpp"
#include "log/logger.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace relais::kafka::native {

/// Brings the events of librdkafka's queues to the loop's thread. librdkafka writes to an eventfd
/// when a queue goes from empty to non-empty, and only then, so each wake-up drains the queue; a
/// timer does the same every second, because a client that nobody polls is expelled from its group.
class event_pump {
public:
    using handler = std::function<void(rd_kafka_event_t&)>;

    /// Takes the queue that errors, logs and reports arrive on. `on_wake` runs after each drain.
    /// Neither may destroy the pump.
    event_pump(boost::asio::io_context& loop, owned<rd_kafka_queue_t> main, handler on_event,
               std::function<void()> on_wake = {});

    /// Nothing is called any more once this returns.
    ~event_pump();
    event_pump(const event_pump&) = delete;
    event_pump& operator=(const event_pump&) = delete;

    /// Makes another queue wake this pump; it is drained by its owner, in on_wake.
    void wake_on(rd_kafka_queue_t& queue);

private:
    struct core;
    std::shared_ptr<core> core_; // shared with the pending Asio operations, which outlive the pump
};

/// Writes a RD_KAFKA_EVENT_LOG to our log.
void log_native(rd_kafka_event_t& event, const log::logger& logger);

} // namespace relais::kafka::native
