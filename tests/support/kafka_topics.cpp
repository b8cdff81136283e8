#include "support/kafka_topics.hpp"

#include "ids/uuid.hpp"
#include "kafka/consumer.hpp"
#include "support/await_on.hpp"
#include "support/environment.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
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

void kafka_topics::forget_before(const std::string& topic, std::int32_t partition,
                                 std::int64_t offset) {
    constexpr int wait_ms = 20'000;
    std::array<char, 256> why{};
    auto* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers().c_str(), why.data(), why.size());
    const std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client(
        rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size()), rd_kafka_destroy);
    const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> answers(
        rd_kafka_queue_new(client.get()), rd_kafka_queue_destroy);
    const std::unique_ptr<rd_kafka_topic_partition_list_t,
                          decltype(&rd_kafka_topic_partition_list_destroy)>
        until(rd_kafka_topic_partition_list_new(1), rd_kafka_topic_partition_list_destroy);
    rd_kafka_topic_partition_list_add(until.get(), (prefix_ + topic).c_str(), partition)->offset =
        offset;
    auto* asked = rd_kafka_DeleteRecords_new(until.get());
    rd_kafka_DeleteRecords(client.get(), &asked, 1, nullptr, answers.get());
    rd_kafka_DeleteRecords_destroy(asked);
    const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> answer(
        rd_kafka_queue_poll(answers.get(), wait_ms), rd_kafka_event_destroy);
    if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw std::runtime_error("cannot delete records of " + topic);
    }
    const auto* done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer.get()));
    if (done->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw std::runtime_error("cannot delete records of " + topic + ": " +
                                 rd_kafka_err2str(done->elems[0].err));
    }
}

} // namespace relais::test
