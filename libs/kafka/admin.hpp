#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace relais::kafka {

using topic_config = std::map<std::string, std::string, std::less<>>;

/// Records get the broker's time. Every topic of ours has it: with the producer's time (Kafka's
/// default) a machine whose clock is an hour ahead cannot publish, what one with a late clock wrote
/// is deleted too early and not found by `offsets_since`, and a repair would publish it again.
topic_config broker_times();

struct new_topic {
    std::string name;
    std::uint32_t partitions = 1;
    std::uint32_t replication_factor = 1;
    topic_config config; ///< "cleanup.policy", "retention.ms" …
};

/// A topic as the broker has it.
struct existing_topic {
    std::string name;
    std::uint32_t partitions = 0;
    std::uint32_t replication_factor = 0;
};

/// Offsets of one partition: the first one kept, and the one that the next record gets.
struct offset_range {
    std::int32_t partition = 0;
    std::int64_t first = 0;
    std::int64_t next = 0;
};

/// Manages topics. For command-line programs and tests: every call blocks until the broker answered
/// or the time is over. Errors: those of classify(), and `conflict` / "topic-exists".
class admin {
public:
    admin(const std::string& brokers, const std::string& client_id,
          std::chrono::milliseconds timeout);
    ~admin();
    admin(const admin&) = delete;
    admin& operator=(const admin&) = delete;

    /// All topics, by name.
    result<std::vector<existing_topic>> topics();

    /// The values in force of some settings of a topic.
    result<topic_config> config(const std::string& topic, const std::vector<std::string>& names);

    /// Returns when the topic can be used.
    result<void> create(const new_topic& wanted);

    /// Sets these settings, and leaves the others of the topic as they are.
    result<void> set_config(const std::string& topic, const topic_config& values);

    result<void> remove(const std::string& topic);

    /// Per partition, in their order. Error for an unknown topic: `unavailable` /
    /// "kafka-unknown-topic".
    result<std::vector<offset_range>> offsets(const std::string& topic);

    /// The same with `first` moved to the first record that is not older than `time`.
    result<std::vector<offset_range>> offsets_since(const std::string& topic, timestamp time);

private:
    result<void> wait_for_topic(const std::string& name);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::kafka
