#include "events/topics.hpp"

#include "events/topic_catalogue.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace relais::events {
namespace {

std::vector<topic> read_built_in() {
    auto topics = parse_topics(detail::built_in_topics());
    if (!topics) {
        std::fprintf(stderr, "proto/topics.textproto, as built in: %s\n",
                     topics.error().detail.c_str());
        std::abort();
    }
    return *std::move(topics);
}

} // namespace

bool topic::written_by(std::string_view source) const {
    constexpr std::string_view prefix = "relais/";
    return source.starts_with(prefix) &&
           (producer == every_service || producer == source.substr(prefix.size()));
}

const std::vector<topic>& all_topics() {
    static const std::vector<topic> topics = read_built_in();
    return topics;
}

const topic* find_topic(std::string_view name) {
    const auto& topics = all_topics();
    const auto found = std::ranges::find(topics, name, &topic::name);
    return found == topics.end() ? nullptr : &*found;
}

std::string_view to_string(lane value) {
    switch (value) {
    case lane::interactive:
        return "interactive";
    case lane::normal:
        return "default";
    case lane::bulk:
        return "bulk";
    }
    return "default";
}

} // namespace relais::events
