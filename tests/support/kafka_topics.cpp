#include "support/kafka_topics.hpp"

#include "ids/uuid.hpp"
#include "kafka/consumer.hpp"
#include "support/await_on.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::test {
namespace {

/// Reads each partition to the end that it had when we began.
asio::awaitable<std::vector<kafka::record>> read_to_end(kafka::consumer& from, std::string topic,
                                                        std::vector<kafka::offset_range> ranges) {
    std::vector<kafka::record> all;
    for (const auto& range : ranges) {
        const kafka::topic_partition where{topic, range.partition};
        std::int64_t next = range.first;
        while (next < range.next) {
            auto taken = from.take(where, 1'000, 10'000'000);
            if (taken.empty()) {
                co_await from.wait();
                continue;
            }
            next = taken.back().offset + 1;
            std::ranges::move(taken, std::back_inserter(all));
        }
    }
    co_return all;
}

} // namespace

kafka_topics::kafka_topics(const std::vector<std::string>& names, std::uint32_t partitions,
                           const kafka::topic_config& config)
    : prefix_("test-" + make_uuid_v7().text() + "."),
      admin_(brokers(), "tests", std::chrono::seconds(20)), names_(names) {
    for (const auto& name : names_) {
        const auto made =
            admin_.create({.name = prefix_ + name, .partitions = partitions, .config = config});
        if (!made) {
            throw std::runtime_error("cannot make " + name + ": " + made.error().detail);
        }
    }
}

kafka_topics::~kafka_topics() {
    for (const auto& name : names_) {
        static_cast<void>(admin_.remove(prefix_ + name));
    }
}

std::string kafka_topics::brokers() {
    return variable("RELAIS_TEST_KAFKA");
}

std::vector<kafka::record> kafka_topics::read_all(const std::string& topic) {
    const auto ranges = admin_.offsets(prefix_ + topic);
    if (!ranges) {
        throw std::runtime_error("cannot read " + topic + ": " + ranges.error().detail);
    }
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::consumer reader({.brokers = brokers(),
                            .client_id = "tests",
                            .group = "tests",
                            .instance = "",
                            .topics = {},
                            .topic_prefix = prefix_},
                           loop, metrics, log::logger());
    std::vector<kafka::partition_start> starts;
    for (const auto& range : *ranges) {
        starts.push_back({{topic, range.partition}, range.first});
    }
    reader.assign(starts);
    return await_on(loop, read_to_end(reader, topic, *ranges));
}

} // namespace relais::test
