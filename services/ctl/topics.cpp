#include "events/topics.hpp"

#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "http/json_writer.hpp"
#include "kafka/admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace relais::ctl {
namespace {

constexpr std::chrono::seconds broker_timeout{20};

std::string_view lane_name(events::lane lane) {
    switch (lane) {
    case events::lane::interactive:
        return "interactive";
    case events::lane::normal:
        return "default";
    case events::lane::bulk:
        return "bulk";
    }
    return "default";
}

std::string retention_text(const events::topic& topic) {
    return topic.compacted ? fmt::format("compacted within {} h", topic.max_compaction_lag.count())
                           : fmt::format("{} h", topic.retention.count());
}

kafka::topic_config config_of(const events::topic& topic) {
    const auto milliseconds = [](std::chrono::hours hours) {
        return std::to_string(std::chrono::milliseconds(hours).count());
    };
    if (topic.compacted) {
        return {{"cleanup.policy", "compact"},
                {"max.compaction.lag.ms", milliseconds(topic.max_compaction_lag)}};
    }
    return {{"cleanup.policy", "delete"}, {"retention.ms", milliseconds(topic.retention)}};
}

void list_topics(bool as_json) {
    http::json_writer json;
    json.begin_object().begin_array("topics");
    for (const auto& topic : events::all_topics()) {
        json.begin_object().member("name", topic.name).member("producer", topic.producer);
        json.member("partitions", topic.partitions).member("lane", lane_name(topic.lane));
        json.member("retention", retention_text(topic)).end_object();
        if (!as_json) {
            fmt::print("{:<34} {:<18} {:>2} partitions  {:<11} {}\n", topic.name, topic.producer,
                       topic.partitions, lane_name(topic.lane), retention_text(topic));
        }
    }
    json.end_array().end_object();
    if (as_json) {
        fmt::print("{}\n", json.take());
    }
}

/// The page of documentation, proto/TOPICS.md.
void print_page() {
    fmt::print(
        "# Topics\n\nWritten by `relaisctl topics page` from `topics.textproto`; change that "
        "file, not this page.\nPartition counts are frozen: growth is a new version of the "
        "topic. The partitioner is murmur2_random.\n\n"
        "| topic | producer | partitions | lane | kept | what |\n"
        "| --- | --- | --- | --- | --- | --- |\n");
    for (const auto& topic : events::all_topics()) {
        fmt::print("| `{}` | {} | {} | {} | {} | {} |\n", topic.name, topic.producer,
                   topic.partitions, lane_name(topic.lane), retention_text(topic),
                   topic.description);
    }
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

result<void> apply_one(kafka::admin& broker, const events::topic& topic,
                       const std::vector<kafka::existing_topic>& there, std::uint32_t replicas,
                       bool only_check) {
    const auto found = std::ranges::find(there, topic.name, &kafka::existing_topic::name);
    if (found != there.end()) {
        if (const auto same = compare_partitions(topic, *found); !same) {
            return same;
        }
        fmt::print("{}: there\n", topic.name);
        return only_check ? result<void>() : broker.set_config(topic.name, config_of(topic));
    }
    if (only_check) {
        return fail(error_kind::not_found, "topic-missing",
                    fmt::format("{}: run relaisctl topics apply", topic.name));
    }
    const auto made = broker.create({topic.name, topic.partitions, replicas, config_of(topic)});
    if (made) {
        fmt::print("{}: created, {} partitions\n", topic.name, topic.partitions);
    }
    return made;
}

result<void> apply_topics(const context& where, std::uint32_t replicas, bool only_check) {
    const auto brokers = required_variable(where, "RELAIS_KAFKA_BROKERS");
    if (!brokers) {
        return fail(brokers);
    }
    kafka::admin broker(*brokers, "relaisctl", broker_timeout);
    const auto there = broker.topics();
    if (!there) {
        return fail(there);
    }
    for (const auto& topic : events::all_topics()) {
        const auto done = apply_one(broker, topic, *there, replicas, only_check);
        if (!done) {
            return done;
        }
    }
    return {};
}

result<std::uint32_t> replicas_of(const arguments& given) {
    const auto text = given.value("--replication-factor").value_or("1");
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || value == 0) {
        return fail(error_kind::invalid, "usage", "--replication-factor wants a number");
    }
    return value;
}

result<void> run_topics(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--replication-factor"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    const auto& rest = given->rest();
    const std::string verb = rest.size() == 1 ? rest.front() : "";
    if (verb == "list") {
        list_topics(given->has("--json"));
        return {};
    }
    if (verb == "page") {
        print_page();
        return {};
    }
    if (verb == "apply" || verb == "check") {
        const auto replicas = replicas_of(*given);
        if (!replicas) {
            return fail(replicas);
        }
        return apply_topics(where, *replicas, verb == "check");
    }
    return fail(error_kind::invalid, "usage", "list, apply, check or page");
}

} // namespace

command topics_command() {
    return {"topics", "topics list|apply|check|page [--json] [--replication-factor N]",
            "the topics of proto/topics.textproto", run_topics};
}

} // namespace relais::ctl
