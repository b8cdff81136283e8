#include "async/task_group.hpp"
#include "kafka/admin.hpp"
#include "kafka/broadcast_reader.hpp"
#include "kafka/producer.hpp"
#include "support/await_on.hpp"
#include "support/kafka_topics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* topic = "identity.account.events.v1";

struct rig {
    test::kafka_topics topics{{topic}, 3};
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    kafka::producer producer{{.brokers = test::kafka_topics::brokers(),
                              .client_id = "test",
                              .topic_prefix = topics.prefix()},
                             loop,
                             metrics,
                             log::logger()};

    void produce(const std::string& value, timestamp time, const std::string& to = topic) {
        REQUIRE(test::await_on(loop, producer.send({.topic = to,
                                                    .key = value,
                                                    .value = value,
                                                    .headers = {},
                                                    .partition = -1,
                                                    .offset = -1,
                                                    .time = time})));
    }
};

/// One instance that reads, with what it has seen.
struct instance {
    instance(rig& on, std::string brokers,
             std::vector<kafka::broadcast_topic> names = {{topic, 1h}})
        : loop(on.loop),
          reader(
              {.brokers = std::move(brokers),
               .client_id = "gateway",
               .topics = std::move(names),
               .topic_prefix = on.topics.prefix()},
              [this](const kafka::record& record) { seen.push_back(record.value.value()); },
              on.loop, on.metrics, log::logger()),
          tasks(on.loop, [](const std::string&, const std::string& what) { FAIL(what); }) {
        tasks.spawn("reader", reader.run());
    }

    ~instance() {
        tasks.cancel();
        test::await_on(loop, tasks.join());
    }

    template <class Condition>
    void wait_until(Condition holds) const {
        const auto limit = std::chrono::steady_clock::now() + 20s;
        while (!holds()) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            loop.restart();
            loop.run_one_for(50ms);
        }
    }

    boost::asio::io_context& loop;
    std::vector<std::string> seen;
    kafka::broadcast_reader reader;
    async::task_group tasks;
};

} // namespace

TEST_CASE("every instance reads everything, from some time back", "[kafka]") {
    rig on;
    const auto now = system_clock().now();
    on.produce("old", now - 3h);
    on.produce("recent-1", now - 30min);
    on.produce("recent-2", now - 1min);
    const instance first(on, test::kafka_topics::brokers());
    const instance second(on, test::kafka_topics::brokers());
    for (const auto* each : {&first, &second}) {
        each->wait_until([&] { return each->reader.caught_up(); });
        auto seen = each->seen;
        std::ranges::sort(seen);
        // Time is looked up by partition, so "old" may come along only when it shares one's tail.
        CHECK(std::ranges::count(seen, "recent-1") == 1);
        CHECK(std::ranges::count(seen, "recent-2") == 1);
        CHECK(std::ranges::count(seen, "old") == 0);
    }
    on.produce("new", now);
    for (const auto* each : {&first, &second}) {
        each->wait_until([&] { return each->seen.size() == 3; });
        CHECK(each->seen.back() == "new");
    }
}

TEST_CASE("a topic that is not there yet holds up no other, and is read when it comes", "[kafka]") {
    rig on;
    const char* const late = "edge.cache.events.v1";
    on.produce("there", system_clock().now());
    const instance reading(on, test::kafka_topics::brokers(), {{late, 1h}, {topic, 1h}});
    reading.wait_until([&] { return reading.reader.caught_up(topic); });
    CHECK(reading.seen == std::vector<std::string>{"there"});
    CHECK_FALSE(reading.reader.caught_up(late));
    CHECK_FALSE(reading.reader.caught_up());
    kafka::admin broker(test::kafka_topics::brokers(), "test", 10s);
    REQUIRE(broker.create({.name = on.topics.prefix() + late, .partitions = 1, .config = {}}));
    reading.wait_until([&] { return reading.reader.caught_up(); });
    on.produce("still", system_clock().now());
    on.produce("late", system_clock().now(), late);
    reading.wait_until([&] { return reading.seen.size() == 3; });
    CHECK(std::ranges::count(reading.seen, "late") == 1);
    REQUIRE(broker.remove(on.topics.prefix() + late));
}

TEST_CASE("a reader without a broker waits and can be stopped", "[kafka]") {
    rig on;
    const instance lonely(on, "127.0.0.1:1");
    on.loop.restart();
    on.loop.run_for(200ms);
    CHECK_FALSE(lonely.reader.caught_up());
}
