#include "ctl/topics_apply.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace relais::ctl {
namespace {

kafka::topic_config config_of(const events::topic& topic) {
    const auto milliseconds = [](std::chrono::hours hours) {
        return std::to_string(std::chrono::milliseconds(hours).count());
    };
    auto config = kafka::broker_times();
    if (topic.compacted) {
        config["cleanup.policy"] = "compact";
        config["max.compaction.lag.ms"] = milliseconds(topic.max_compaction_lag);
    } else {
        config["cleanup.policy"] = "delete";
        config["retention.ms"] = milliseconds(topic.retention);
    }
    return config;
}

result<void> compare_partitions(const events::topic& wanted, const kafka::existing_topic& there) {
    if (there.partitions == wanted.partitions) {
        return {};
    }
    return fail(error_kind::conflict, "partition-count",
                fmt::format("{} has {} partitions, the topics file says {}. Changing the count "
                            "would move keys and break their order: publish a new version of the "
                            "topic beside it, or put the file back",
                            wanted.name, there.partitions, wanted.partitions));
}

/// What is set otherwise than the file says, as "retention.ms is 1 instead of 2".
result<std::vector<std::string>> find_differences(kafka::admin& broker,
                                                  const events::topic& topic) {
    const auto wanted = config_of(topic);
    std::vector<std::string> names;
    for (const auto& [name, value] : wanted) {
        names.push_back(name);
    }
    const auto there = broker.config(topic.name, names);
    if (!there) {
        return fail(there);
    }
    std::vector<std::string> differences;
    for (const auto& [name, value] : wanted) {
        const auto found = there->find(name);
        if (found == there->end() || found->second != value) {
            differences.push_back(fmt::format("{} is {} instead of {}", name,
                                              found == there->end() ? "unset" : found->second,
                                              value));
        }
    }
    return differences;
}

result<void> mend_existing(kafka::admin& broker, const events::topic& topic,
                           const apply_options& how) {
    const auto differences = find_differences(broker, topic);
    if (!differences) {
        return fail(differences);
    }
    if (differences->empty()) {
        how.say(topic.name + ": as it should be");
        return {};
    }
    const auto all = fmt::format("{}", fmt::join(*differences, ", "));
    if (how.only_check) {
        return fail(error_kind::conflict, "topic-settings",
                    fmt::format("{}: {}; run relaisctl topics apply", topic.name, all));
    }
    how.say(fmt::format("{}: changed: {}", topic.name, all));
    return broker.set_config(topic.name, config_of(topic));
}

result<void> apply_one(kafka::admin& broker, const events::topic& topic,
                       const std::vector<kafka::existing_topic>& there, const apply_options& how) {
    const auto found = std::ranges::find(there, topic.name, &kafka::existing_topic::name);
    if (found != there.end()) {
        const auto same = compare_partitions(topic, *found);
        return same ? mend_existing(broker, topic, how) : same;
    }
    if (how.only_check) {
        return fail(error_kind::not_found, "topic-missing",
                    fmt::format("{}: run relaisctl topics apply", topic.name));
    }
    const auto made = broker.create({topic.name, topic.partitions, how.replicas, config_of(topic)});
    if (made) {
        how.say(fmt::format("{}: created, {} partitions", topic.name, topic.partitions));
    }
    return made;
}

} // namespace

result<void> apply_topics(kafka::admin& broker, const std::vector<events::topic>& topics,
                          const apply_options& how) {
    const auto there = broker.topics();
    if (!there) {
        return fail(there);
    }
    result<void> outcome;
    for (const auto& topic : topics) {
        const auto done = apply_one(broker, topic, *there, how);
        if (!done) {
            how.say(done.error().detail);
        }
        if (outcome && !done) {
            outcome = done;
        }
    }
    return outcome;
}

} // namespace relais::ctl
