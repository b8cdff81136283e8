#pragma once

// For the .cpp files of this library only.

#include "kafka/consumer.hpp"
#include "kafka/native.hpp"

namespace relais::kafka {

struct fetched::state {
    std::string topic_prefix;
    std::vector<native::owned<rd_kafka_event_t>> events; ///< own the messages
    std::vector<const rd_kafka_message_t*> messages;
};

} // namespace relais::kafka
