#include "ids/uuid.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"
#include "support/await_on.hpp"
#include "support/kafka_topics.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch_test_macros.hpp>

#include <map>
#include <set>

namespace asio = boost::asio;
using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* topic = "market.job.events.v1";
using kind = kafka::rebalance::kind;

struct rig {
    test::kafka_topics topics{{topic}, 4};
    asio::io_context loop{1};
    metrics::registry metrics;
    std::string group = "group-" + make_uuid_v7().text();

    std::unique_ptr<kafka::consumer> member(const std::string& instance) {
        return std::make_unique<kafka::consumer>(
            kafka::consumer_settings{.brokers = test::kafka_topics::brokers(),
                                     .client_id = "test",
                                     .group = group,
                                     .instance = instance,
                                     .topics = {topic},
                                     .topic_prefix = topics.prefix(),
                                     .session_timeout = 6s},
            loop, metrics, log::logger());
    }

    void produce(int count) {
        kafka::producer producer({.brokers = test::kafka_topics::brokers(),
                                  .client_id = "test",
                                  .topic_prefix = topics.prefix()},
                                 loop, metrics, log::logger());
        for (int i = 0; i < count; ++i) {
            REQUIRE(producer.send({.topic = topic, .key = std::to_string(i), .value = "v"},
                                  [](const auto&) {}));
        }
        REQUIRE(test::await_on(loop, producer.flush(20s)));
    }
};

/// Answers rebalances until the member has this many partitions.
asio::awaitable<std::vector<kafka::topic_partition>> settle(kafka::consumer& member,
                                                            std::size_t count) {
    while (true) {
        while (const auto change = member.take_rebalance()) {
            if (change->what != kind::assigned) {
                member.unassign();
                continue;
            }
            std::vector<kafka::partition_start> starts;
            for (const auto& where : change->partitions) {
                starts.push_back({where, 0});
            }
            member.assign(starts);
            if (change->partitions.size() == count) {
                co_return change->partitions;
            }
        }
        co_await member.wait();
    }
}

/// Both at once: a rebalance needs the answers of all members.
asio::awaitable<void> settle_both(kafka::consumer& a, std::size_t a_count, kafka::consumer& b,
                                  std::size_t b_count) {
    using namespace asio::experimental::awaitable_operators;
    co_await (settle(a, a_count) && settle(b, b_count));
}

asio::awaitable<std::size_t> take_all(kafka::consumer& member, kafka::topic_partition from,
                                      std::size_t count) {
    std::size_t taken = 0;
    std::int64_t last = -1;
    while (taken < count) {
        const auto records = member.take(from, 10, 1'000'000);
        for (const auto& record : records) {
            CHECK(record.offset == last + 1);
            last = record.offset;
            ++taken;
        }
        if (records.empty()) {
            co_await member.wait();
        }
    }
    co_return taken;
}

/// How often nothing came for 0.2 s while there was something.
asio::awaitable<int> count_stalls(kafka::consumer& member, kafka::topic_partition from,
                                  std::size_t count) {
    int stalls = 0;
    auto last = std::chrono::steady_clock::now();
    while (count > 0) {
        const auto taken = member.fetch(from, 500, 1'000'000).size();
        if (taken == 0) {
            co_await member.wait();
            continue;
        }
        count -= std::min(taken, count);
        stalls += std::chrono::steady_clock::now() - last > 200ms ? 1 : 0;
        last = std::chrono::steady_clock::now();
    }
    co_return stalls;
}

} // namespace

TEST_CASE("partitions are read apart: one that is left alone holds up no other", "[kafka]") {
    rig on;
    on.produce(400);
    const auto member = on.member("");
    const auto assigned = test::await_on(on.loop, settle(*member, 4));
    std::size_t total = 0;
    for (const auto& range : on.topics.admin().offsets(on.topics.prefix() + topic).value()) {
        if (range.partition == 2) {
            continue;
        }
        const auto count = static_cast<std::size_t>(range.next);
        const kafka::topic_partition where{topic, range.partition};
        CHECK(test::await_on(on.loop, take_all(*member, where, count)) == count);
        CHECK(member->end_offset(where) == range.next);
        total += count;
    }
    CHECK(total < 400);
    CHECK_FALSE(member->broker_down());
    test::await_on(on.loop, member->close(5s));
}

// One fetch is under way at a time. For the partitions without news the broker kept it for half a
// second, and what was behind elsewhere waited.
TEST_CASE("a backlog flows beside partitions that have nothing new", "[kafka]") {
    constexpr std::size_t count = 30'000;
    rig on;
    kafka::producer producer({.brokers = test::kafka_topics::brokers(),
                              .client_id = "test",
                              .topic_prefix = on.topics.prefix()},
                             on.loop, on.metrics, log::logger());
    std::size_t partition = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::string value;
        for (int part = 0; part < 8; ++part) {
            value += make_uuid_v7().text();
        }
        const kafka::record one{.topic = topic, .key = "one", .value = value};
        REQUIRE(producer.send(one, [&partition](const auto& done) {
            partition = static_cast<std::size_t>(done->partition);
        }));
    }
    REQUIRE(test::await_on(on.loop, producer.flush(20s)));
    const auto member = on.member("");
    test::await_on(on.loop, settle(*member, 4));
    const kafka::topic_partition from{topic, static_cast<std::int32_t>(partition)};
    // One may be the first fetch, and one the machine's.
    CHECK(test::await_on(on.loop, count_stalls(*member, from, count)) <= 2);
    test::await_on(on.loop, member->close(5s));
}

TEST_CASE("reading begins at the offset that the caller says", "[kafka]") {
    rig on;
    on.produce(100);
    const auto member = on.member("");
    test::await_on(on.loop, settle(*member, 4));
    member->assign({{{topic, 0}, 5}});
    const auto read = [&]() -> asio::awaitable<std::int64_t> {
        auto taken = member->take({topic, 0}, 1, 1'000);
        while (taken.empty()) {
            co_await member->wait();
            taken = member->take({topic, 0}, 1, 1'000);
        }
        co_return taken.front().offset;
    };
    CHECK(test::await_on(on.loop, read()) == 5);
    test::await_on(on.loop, member->close(5s));
}

TEST_CASE("a second member takes its share, and gives it back when it leaves", "[kafka]") {
    rig on;
    const auto first = on.member("");
    const auto all = test::await_on(on.loop, settle(*first, 4));
    CHECK(std::set(all.begin(), all.end()).size() == 4);
    const auto second = on.member("");
    test::await_on(on.loop, settle_both(*first, 2, *second, 2));
    test::await_on(on.loop, second->close(5s));
    CHECK(test::await_on(on.loop, settle(*first, 4)).size() == 4);
    test::await_on(on.loop, first->close(5s));
}

TEST_CASE("a member with a name comes back to its partitions", "[kafka]") {
    rig on;
    const auto first = on.member("one");
    const auto second = on.member("two");
    test::await_on(on.loop, settle_both(*first, 2, *second, 2));
    test::await_on(on.loop, first->close(5s));
    const auto again = on.member("one");
    CHECK(test::await_on(on.loop, settle(*again, 2)).size() == 2);
    CHECK_FALSE(second->take_rebalance());
    test::await_on(on.loop, again->close(5s));
    test::await_on(on.loop, second->close(5s));
}

TEST_CASE("the older of two members with one name is fenced", "[kafka]") {
    rig on;
    const auto older = on.member("one");
    test::await_on(on.loop, settle(*older, 4));
    const auto newer = on.member("one");
    test::await_on(on.loop, settle(*newer, 4));
    const auto fenced = [&]() -> asio::awaitable<void> {
        while (!older->fatal()) {
            co_await older->wait();
        }
    };
    test::await_on(on.loop, fenced());
    CHECK_FALSE(newer->fatal());
    test::await_on(on.loop, newer->close(5s));
}

TEST_CASE("a consumer without a broker says so and ends quickly", "[kafka]") {
    asio::io_context loop(1);
    metrics::registry metrics;
    kafka::consumer member(
        {.brokers = "127.0.0.1:1", .client_id = "t", .group = "g", .topics = {topic}}, loop,
        metrics, log::logger());
    const auto down = [&]() -> asio::awaitable<void> {
        while (!member.broker_down()) {
            co_await member.wait();
        }
    };
    test::await_on(loop, down());
    const auto begin = std::chrono::steady_clock::now();
    test::await_on(loop, member.close(1s));
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
}

TEST_CASE("a consumer knows where the broker has nothing more", "[kafka]") {
    rig on;
    on.produce(40);
    kafka::consumer reader({.brokers = test::kafka_topics::brokers(),
                            .client_id = "test",
                            .group = on.group,
                            .topic_prefix = on.topics.prefix(),
                            .tells_ends = true},
                           on.loop, on.metrics, log::logger());
    const auto ranges = on.topics.admin().offsets(on.topics.prefix() + topic).value();
    const kafka::topic_partition where{topic, 0};
    reader.assign({{where, 0}});
    CHECK_FALSE(reader.read_through(where));
    const auto read = [&]() -> asio::awaitable<std::int64_t> {
        std::int64_t taken = 0;
        while (!reader.read_through(where)) {
            taken += static_cast<std::int64_t>(reader.fetch(where, 3, 1'000'000).size());
            // With records before the end that were not taken, it is not known.
            CHECK((!reader.read_through(where) || taken == ranges[0].next));
            if (!reader.has_records(where)) {
                co_await reader.wait();
            }
        }
        co_return taken;
    };
    CHECK(test::await_on(on.loop, read()) == ranges[0].next);
    CHECK(reader.read_through(where) == ranges[0].next);
}
