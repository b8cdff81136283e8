#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>

namespace relais::outbox {

/// An event that Kafka refuses; without `seq` it is not one event but all of them.
struct refusal_of_event {
    std::uint64_t seq = 0;
    std::string topic;
    error reason;
};

/// Whether trying again cannot help before somebody has changed something: record too large for
/// the broker, topic gone or not allowed, record invalid, partition count wrong.
bool refused_for_good(const error& reason);

/// Whether going on without the event may be right. Not when rights are missing: then every event
/// would be left behind.
bool may_be_diverted(const error& reason);

} // namespace relais::outbox
