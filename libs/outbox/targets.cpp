#include "outbox/targets.hpp"

#include "events/partitioner.hpp"

namespace relais::outbox {

targets::target& targets::of(std::string_view topic, std::string_view key) {
    auto found = topics_.find(topic);
    if (found == topics_.end()) {
        const auto* known = events::find_topic(topic);
        std::vector<target> partitions(known == nullptr ? 1 : known->partitions);
        for (std::size_t i = 0; i < partitions.size(); ++i) {
            partitions[i].topic = topic;
            partitions[i].partition = known == nullptr ? -1 : static_cast<std::int32_t>(i);
        }
        found = topics_.emplace(topic, std::move(partitions)).first;
    }
    const auto count = static_cast<std::uint32_t>(found->second.size());
    return found->second[static_cast<std::size_t>(events::partition_of(key, count))];
}

} // namespace relais::outbox
