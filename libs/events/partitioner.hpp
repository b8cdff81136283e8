#pragma once

#include "events/topics.hpp"

#include <cstdint>
#include <string_view>

namespace relais::events {

/// Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2) of the bytes.
std::uint32_t murmur2(std::string_view bytes);

/// Which partition a record with this key goes to: the partitioner `murmur2_random` of librdkafka
/// and Java's default. `partitions` is at least 1.
std::int32_t partition_of(std::string_view key, std::uint32_t partitions);

/// The same for a topic of the catalogue; 0 for one that is not in it.
std::int32_t partition_of(std::string_view key, std::string_view topic);

} // namespace relais::events
