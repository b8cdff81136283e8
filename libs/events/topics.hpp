#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::events {

/// Traffic classes that never wait on each other. The lane is a property of the topic.
enum class lane { interactive, normal, bulk };
inline constexpr std::size_t lane_count = 3;

/// The word used in pages and labels: "interactive", "default", "bulk".
std::string_view to_string(lane value);

/// The producer of a topic that all services with a database write. Its consumers know events by
/// their ids, not by their positions.
inline constexpr std::string_view every_service = "*";

/// One topic of proto/topics.textproto.
struct topic {
    std::string name;
    std::string producer;         ///< the one service that publishes it, or every_service
    std::uint32_t partitions = 1; ///< frozen
    events::lane lane = events::lane::normal;
    bool compacted = false;                   ///< a snapshot topic: null values erase
    std::chrono::hours retention{0};          ///< when not compacted
    std::chrono::hours max_compaction_lag{0}; ///< when compacted
    std::string description;

    /// The source of an event: "relais/web-api".
    bool written_by(std::string_view source) const;
};

/// All topics, in the file's order; parsed once from the copy that is built in. A file that does
/// not parse ends the program at its start (a test keeps that from happening).
const std::vector<topic>& all_topics();

/// nullptr when there is no such topic.
const topic* find_topic(std::string_view name);

} // namespace relais::events
