#include "ctl/topics_page.hpp"

#include <fmt/format.h>

#include <iterator>

namespace relais::ctl {

std::string retention_text(const events::topic& topic) {
    return topic.compacted ? fmt::format("compacted within {} h", topic.max_compaction_lag.count())
                           : fmt::format("{} h", topic.retention.count());
}

std::string topics_page(const std::vector<events::topic>& topics) {
    std::string page =
        "# Topics\n\n"
        "Written by `relaisctl topics page` from `topics.textproto`; change that file, not this "
        "page.\n"
        "Partition counts are frozen: growth is a new version of the topic. The partitioner is "
        "murmur2_random.\n\n"
        "| topic | producer | partitions | lane | kept | what |\n"
        "| --- | --- | --- | --- | --- | --- |\n";
    for (const auto& topic : topics) {
        fmt::format_to(std::back_inserter(page), "| `{}` | {} | {} | {} | {} | {} |\n", topic.name,
                       topic.producer, topic.partitions, events::to_string(topic.lane),
                       retention_text(topic), topic.description);
    }
    return page;
}

} // namespace relais::ctl
