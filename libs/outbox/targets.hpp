#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace relais::outbox {

/// The partitions that records go to, by the topics file, and what is under way to each. Pure.
class targets {
public:
    struct target {
        std::string topic;
        std::int32_t partition = 0; ///< -1: left to the producer
        std::size_t in_flight = 0;
    };

    /// Stays where it is as long as this lives. A topic that the catalogue does not know counts as
    /// one target.
    target& of(std::string_view topic, std::string_view key);

private:
    std::map<std::string, std::vector<target>, std::less<>> topics_;
};

} // namespace relais::outbox
