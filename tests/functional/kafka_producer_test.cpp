#include "events/partitioner.hpp"
#include "kafka/producer.hpp"
#include "support/await_on.hpp"
#include "support/kafka_topics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>

namespace asio = boost::asio;
using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* topic = "market.job.events.v1";

kafka::record make_record(std::string key, std::optional<std::string> value) {
    return {.topic = topic,
            .key = std::move(key),
            .value = std::move(value),
            .headers = {{"ce_id", "1"}, {"x-empty", ""}}};
}

struct rig {
    test::kafka_topics topics{{topic}, 3};
    asio::io_context loop{1};
    metrics::registry metrics;
    kafka::producer producer{{.brokers = test::kafka_topics::brokers(),
                              .client_id = "test",
                              .linger = 0ms,
                              .queue_max_messages = 1'000,
                              .topic_prefix = topics.prefix(),
                              .topics = {topic}},
                             loop,
                             metrics,
                             log::logger()};
};

} // namespace

TEST_CASE("a record arrives with key, value and headers", "[kafka]") {
    rig on;
    const auto sent = test::await_on(on.loop, on.producer.send(make_record("key-1", "value")));
    REQUIRE(sent);
    const auto read = on.topics.read_all(topic);
    REQUIRE(read.size() == 1);
    CHECK(read[0].topic == topic);
    CHECK(read[0].key == "key-1");
    CHECK(read[0].value == "value");
    CHECK(read[0].headers == events::headers{{"ce_id", "1"}, {"x-empty", ""}});
    CHECK(read[0].partition == sent->partition);
    CHECK(read[0].offset == sent->offset);
    CHECK(on.producer.in_flight() == 0);
}

TEST_CASE("records land in the partition that their key says", "[kafka]") {
    rig on;
    std::map<std::string, std::int32_t> landed;
    std::string key;
    for (int i = 0; i < 100; ++i) {
        key += static_cast<char>('!' + i % 90);
        const auto sent = test::await_on(on.loop, on.producer.send(make_record(key, "v")));
        REQUIRE(sent);
        landed[key] = sent->partition;
    }
    landed["\xc3\xa9\xe2\x82\xac"] =
        test::await_on(on.loop, on.producer.send(make_record("\xc3\xa9\xe2\x82\xac", "v")))
            .value()
            .partition;
    for (const auto& [name, partition] : landed) {
        CHECK(partition == events::partition_of(name, 3U));
    }
}

TEST_CASE("an empty value stays a value, and no value is a tombstone", "[kafka]") {
    rig on;
    REQUIRE(test::await_on(on.loop, on.producer.send(make_record("k", ""))));
    REQUIRE(test::await_on(on.loop, on.producer.send(make_record("k", std::nullopt))));
    const auto read = on.topics.read_all(topic);
    REQUIRE(read.size() == 2);
    CHECK(read[0].value == "");
    CHECK(read[1].value == std::nullopt);
}

TEST_CASE("records of one key keep their order", "[kafka]") {
    rig on;
    int reported = 0;
    for (int i = 0; i < 600; ++i) {
        const auto queued = on.producer.send(
            make_record("key-" + std::to_string(i % 7), std::to_string(i)),
            [&](const result<kafka::delivery>& done) { reported += done ? 1 : 0; });
        REQUIRE(queued);
    }
    REQUIRE(test::await_on(on.loop, on.producer.flush(20s)));
    CHECK(reported == 600);
    std::map<std::string, int> last;
    std::map<std::string, int> place;
    for (const auto& record : on.topics.read_all(topic)) {
        const int number = std::stoi(record.value.value());
        if (last.contains(record.key)) {
            CHECK(last[record.key] < number);
            CHECK(place[record.key] == record.partition);
        }
        last[record.key] = number;
        place[record.key] = record.partition;
    }
    CHECK(last.size() == 7);
}

TEST_CASE("the partition is the one that Java's clients choose", "[kafka]") {
    rig on;
    // Utils.toPositive(Utils.murmur2(key)) % 3 of kafka-clients 4.3.1.
    const std::map<std::string, std::int32_t> expected{{"a", 1},
                                                       {"0197c0de-0000-7000-8000-000000000001", 0},
                                                       {"0197c0de-0000-7000-8000-000000000002", 2},
                                                       {"zoë", 0},
                                                       {"21", 0},
                                                       {"key-7", 1}};
    for (const auto& [key, partition] : expected) {
        const auto sent = test::await_on(on.loop, on.producer.send(make_record(key, "v")));
        REQUIRE(sent);
        CHECK(sent->partition == partition);
    }
}

TEST_CASE("what cannot be sent is refused at once", "[kafka]") {
    rig on;
    const auto large = on.producer.send(make_record("k", std::string(2'000'000, 'x')),
                                        [](const auto&) { FAIL("reported"); });
    REQUIRE_FALSE(large);
    CHECK(large.error().slug == "record-too-large");
    CHECK(large.error().kind == error_kind::invalid);

    result<void> refused;
    for (int i = 0; i < 1'001; ++i) {
        refused = on.producer.send(make_record("k", "v"), [](const auto&) {});
    }
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "producer-queue-full");
    CHECK(test::await_on(on.loop, on.producer.flush(20s)));
}

TEST_CASE("without a broker records wait and flush says so", "[kafka]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::producer producer({.brokers = "127.0.0.1:1", .client_id = "test"}, loop, metrics,
                             log::logger());
    REQUIRE(producer.send(make_record("k", "v"), [](const auto&) { FAIL("reported"); }));
    const auto flushed = test::await_on(loop, producer.flush(300ms));
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().kind == error_kind::timeout);
    CHECK(producer.in_flight() == 1);
    CHECK_FALSE(producer.fatal());
}
