#include "kafka/admin.hpp"

#include "kafka/admin_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace relais::kafka {

topic_config broker_times() {
    return {{"message.timestamp.type", "LogAppendTime"}};
}

namespace {

result<void> outcome_of(const rd_kafka_topic_result_t** results, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_topic_result_error(results[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char* text = rd_kafka_topic_result_error_string(results[i]);
            return refused(code, text == nullptr ? rd_kafka_topic_result_name(results[i]) : text);
        }
    }
    return {};
}

result<void> outcome_of(const rd_kafka_ConfigResource_t** resources, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_ConfigResource_error(resources[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char* text = rd_kafka_ConfigResource_error_string(resources[i]);
            return refused(code,
                           text == nullptr ? rd_kafka_ConfigResource_name(resources[i]) : text);
        }
    }
    return {};
}

existing_topic to_topic(const rd_kafka_metadata_topic& native) {
    return {native.topic, static_cast<std::uint32_t>(native.partition_cnt),
            native.partition_cnt == 0
                ? 0
                : static_cast<std::uint32_t>(native.partitions[0].replica_cnt)};
}

} // namespace

admin::admin(const std::string& brokers, const std::string& client_id,
             std::chrono::milliseconds timeout)
    : state_(std::make_unique<state>(brokers, client_id, timeout)) {}

admin::~admin() = default;

result<std::vector<existing_topic>> admin::topics() {
    const auto found = state_->metadata(nullptr);
    if (!found) {
        return fail(found);
    }
    std::vector<existing_topic> topics;
    topics.reserve(static_cast<std::size_t>((*found)->topic_cnt));
    for (int i = 0; i < (*found)->topic_cnt; ++i) {
        topics.push_back(to_topic((*found)->topics[i]));
    }
    std::ranges::sort(topics, {}, &existing_topic::name);
    return topics;
}

result<topic_config> admin::config(const std::string& topic,
                                   const std::vector<std::string>& names) {
    const held<rd_kafka_ConfigResource_t> asked(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    auto* resource = asked.get();
    const auto options = state_->options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(state_->client, &resource, 1, options.get(), state_->answers.get());
    const auto event = state_->answer();
    if (!event) {
        return fail(event);
    }
    std::size_t count = 0;
    const auto* described = rd_kafka_event_DescribeConfigs_result(event->get());
    const auto** resources = rd_kafka_DescribeConfigs_result_resources(described, &count);
    const auto refusal = outcome_of(resources, count);
    if (!refusal) {
        return fail(refusal);
    }
    topic_config values;
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t entries = 0;
        const auto** entry = rd_kafka_ConfigResource_configs(resources[i], &entries);
        for (std::size_t k = 0; k < entries; ++k) {
            const std::string name = rd_kafka_ConfigEntry_name(entry[k]);
            const char* value = rd_kafka_ConfigEntry_value(entry[k]);
            if (value != nullptr && std::ranges::find(names, name) != names.end()) {
                values[name] = value;
            }
        }
    }
    return values;
}

result<void> admin::create(const new_topic& wanted) {
    std::array<char, 256> why{};
    const held<rd_kafka_NewTopic_t> made(
        rd_kafka_NewTopic_new(wanted.name.c_str(), static_cast<int>(wanted.partitions),
                              static_cast<int>(wanted.replication_factor), why.data(), why.size()));
    if (!made) {
        return fail(error_kind::invalid, "bad-topic", why.data());
    }
    for (const auto& [name, value] : wanted.config) {
        rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
    }
    auto* topic = made.get();
    const auto options = state_->options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(state_->client, &topic, 1, options.get(), state_->answers.get());
    const auto event = state_->answer();
    if (!event) {
        return fail(event);
    }
    std::size_t count = 0;
    const auto* created = rd_kafka_event_CreateTopics_result(event->get());
    auto outcome = outcome_of(rd_kafka_CreateTopics_result_topics(created, &count), count);
    return outcome ? wait_for_topic(wanted.name) : outcome;
}

/// The controller answers before the brokers know about it.
result<void> admin::wait_for_topic(const std::string& name) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(state_->timeout_ms);
    while (std::chrono::steady_clock::now() < until) {
        const auto known = topics();
        if (!known) {
            return fail(known);
        }
        const auto found = std::ranges::find(*known, name, &existing_topic::name);
        if (found != known->end() && found->partitions > 0) {
            return {};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return fail(error_kind::timeout, "kafka-timeout", name + " was made, but no broker knows it");
}

result<void> admin::set_config(const std::string& topic, const topic_config& values) {
    const held<rd_kafka_ConfigResource_t> made(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    for (const auto& [name, value] : values) {
        const native::owned<rd_kafka_error_t> wrong(rd_kafka_ConfigResource_add_incremental_config(
            made.get(), name.c_str(), RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, value.c_str()));
        if (wrong) {
            return refused(rd_kafka_error_code(wrong.get()), rd_kafka_error_string(wrong.get()));
        }
    }
    auto* resource = made.get();
    const auto options = state_->options(RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS);
    rd_kafka_IncrementalAlterConfigs(state_->client, &resource, 1, options.get(),
                                     state_->answers.get());
    const auto event = state_->answer();
    if (!event) {
        return fail(event);
    }
    std::size_t count = 0;
    const auto* altered = rd_kafka_event_IncrementalAlterConfigs_result(event->get());
    return outcome_of(rd_kafka_IncrementalAlterConfigs_result_resources(altered, &count), count);
}

result<void> admin::remove(const std::string& topic) {
    const held<rd_kafka_DeleteTopic_t> made(rd_kafka_DeleteTopic_new(topic.c_str()));
    auto* native = made.get();
    const auto options = state_->options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopics(state_->client, &native, 1, options.get(), state_->answers.get());
    const auto event = state_->answer();
    if (!event) {
        return fail(event);
    }
    std::size_t count = 0;
    const auto* removed = rd_kafka_event_DeleteTopics_result(event->get());
    return outcome_of(rd_kafka_DeleteTopics_result_topics(removed, &count), count);
}

result<std::vector<offset_range>> admin::offsets(const std::string& topic) {
    const native::owned<rd_kafka_topic_t> handle(
        rd_kafka_topic_new(state_->client, topic.c_str(), nullptr));
    const auto found = state_->metadata(handle.get());
    if (!found) {
        return fail(found);
    }
    const auto& known = (*found)->topics[0];
    if (known.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(known.err, topic);
    }
    std::vector<offset_range> ranges;
    for (std::int32_t partition = 0; partition < known.partition_cnt; ++partition) {
        offset_range range{.partition = partition};
        const auto code =
            rd_kafka_query_watermark_offsets(state_->client, topic.c_str(), partition, &range.first,
                                             &range.next, state_->timeout_ms);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, topic);
        }
        ranges.push_back(range);
    }
    return ranges;
}

result<std::vector<offset_range>> admin::offsets_since(const std::string& topic, timestamp time) {
    auto ranges = offsets(topic);
    if (!ranges) {
        return ranges;
    }
    const auto size = static_cast<int>(ranges->size());
    const native::owned<rd_kafka_topic_partition_list_t> list(
        rd_kafka_topic_partition_list_new(size));
    const auto time_ms =
        std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    for (const auto& range : *ranges) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), range.partition)->offset =
            time_ms;
    }
    const auto code = rd_kafka_offsets_for_times(state_->client, list.get(), state_->timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(code, topic);
    }
    for (int i = 0; i < list->cnt; ++i) {
        auto& range = (*ranges)[static_cast<std::size_t>(i)];
        const auto found = list->elems[i].offset; // negative: nothing is that new
        range.first = found < 0 ? range.next : std::max(found, range.first);
    }
    return ranges;
}

} // namespace relais::kafka
