#pragma once

#include "kafka/admin.hpp"
#include "kafka/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace relais::test {

/// Topics of the catalogue under a prefix of this test's own, so that tests do not see each other's
/// events. The prefix goes into the settings of producers, relays and consumers. Removed at the
/// end.
class kafka_topics {
public:
    explicit kafka_topics(const std::vector<std::string>& names, std::uint32_t partitions = 3,
                          const kafka::topic_config& config = {});
    ~kafka_topics();
    kafka_topics(const kafka_topics&) = delete;
    kafka_topics& operator=(const kafka_topics&) = delete;

    static std::string brokers();

    const std::string& prefix() const {
        return prefix_;
    }

    kafka::admin& admin() {
        return admin_;
    }

    /// Every record of a topic, partition by partition.
    std::vector<kafka::record> read_all(const std::string& topic);

    /// The broker forgets the records of a partition before this offset, as retention does.
    void forget_before(const std::string& topic, std::int32_t partition, std::int64_t offset);

private:
    std::string prefix_;
    kafka::admin admin_;
    std::vector<std::string> names_;
};

} // namespace relais::test
