#pragma once

#include "events/event.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace relais::kafka {

/// One Kafka record. value nullopt is a null value (tombstone), an empty string is not.
struct record {
    std::string topic;
    std::string key;
    std::optional<std::string> value;
    events::headers headers;
    std::int32_t partition = -1; ///< -1 when producing: by murmur2 of the key
    std::int64_t offset = -1;    ///< set on what was read
    timestamp time{};            ///< broker or producer time of what was read
};

/// A record for an event, and back (see events/event.hpp for the errors).
record to_record(const events::event& value);
result<events::event> to_event(const record& value);

} // namespace relais::kafka
