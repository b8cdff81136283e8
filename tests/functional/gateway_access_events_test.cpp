#include "config/reader.hpp"
#include "events/event.hpp"
#include "gateway/access/access_writer.hpp"
#include "support/access_records.hpp"
#include "support/await_on.hpp"
#include "support/kafka_topics.hpp"
#include "support/tcp_gate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <map>
#include <relais/edge/v1/access_events.pb.h>
#include <set>
#include <thread>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::finished_request;

namespace {

constexpr const char* topic = "edge.access.events.v1";

access_settings with_events(const test::kafka_topics& topics) {
    access_settings made;
    made.instance = "gateway-1";
    made.kafka_brokers = test::kafka_topics::brokers();
    made.topic_prefix = topics.prefix();
    made.sample_rate = 0;
    return made;
}

struct rig {
    access_names names;
    metrics::registry metrics;
    access_writer writer;

    explicit rig(access_settings settings)
        : writer(std::move(settings), 2, names, metrics, log::logger()) {}

    void stop(std::chrono::milliseconds at_most) {
        boost::asio::io_context control(1);
        test::await_on(control, writer.stop(at_most));
    }
};

std::map<std::string, edge::v1::AccessLogged> messages_of(test::kafka_topics& topics) {
    std::map<std::string, edge::v1::AccessLogged> out;
    for (const auto& record : topics.read_all(topic)) {
        const auto event = kafka::to_event(record);
        REQUIRE(event);
        const auto message = events::decode<edge::v1::AccessLogged>(*event);
        REQUIRE(message);
        CHECK(event->key == message->request_id());
        CHECK(event->source == "relais/gateway");
        out[message->request_id()] = *message;
    }
    return out;
}

} // namespace

TEST_CASE("failed and slow requests and a share become events", "[gateway][kafka]") {
    test::kafka_topics topics({topic});
    auto settings = with_events(topics);
    settings.sample_rate = 0.25;
    rig with(settings);
    with.writer.start();
    const sampling like_it(0.25, settings.slow_after);
    std::set<std::string> expected;
    for (std::uint64_t i = 0; i < 400; ++i) {
        auto record = finished_request(with.names, i);
        record.status = i % 50 == 0 ? 503 : 200;
        record.total = i % 70 == 0 ? 3s : 3ms;
        record.reason = i % 90 == 0 ? error_reason::rate_limited : error_reason::none;
        if (like_it.always(record) || like_it.in_share(record)) {
            expected.emplace(record.request_id.view());
        }
        with.writer.ring(i % 2).push(record);
    }
    with.stop(20s);
    std::set<std::string> arrived;
    for (const auto& [id, message] : messages_of(topics)) {
        arrived.insert(id);
        CHECK((message.weight() == 1 || message.weight() == 4));
    }
    CHECK(arrived == expected);
    CHECK(arrived.size() > 50);
    CHECK_THAT(with.metrics.serialize(),
               ContainsSubstring("gateway_access_dropped_total{cause=\"broker\"} 0\n"));
}

TEST_CASE("an event says what the record says, and no more of the client than its network",
          "[gateway][kafka]") {
    test::kafka_topics topics({topic});
    rig with(with_events(topics));
    auto record = finished_request(with.names, "the-one");
    record.status = 504;
    record.reason = error_reason::upstream_timeout;
    record.connect = not_reached;
    record.connection_reused = true;
    record.retries = 1;
    record.tls = true;
    record.account = *uuid::parse("01941f29-7c00-7aaa-8aaa-0123456789ab");
    record.user_agent.assign("no UTF-8: \xff");
    with.writer.ring(0).push(record);
    record.request_id.assign("");
    with.writer.ring(1).push(record);
    with.writer.start();
    with.stop(20s);
    const auto messages = messages_of(topics);
    REQUIRE(messages.size() == 2); // the second has an id of its own
    const auto& message = messages.at("the-one");
    CHECK(message.instance() == "gateway-1");
    CHECK(message.started_at().seconds() == 1'790'000'000);
    CHECK(message.started_at().nanos() == 123'456'000);
    CHECK(message.method() == "GET");
    CHECK(message.route() == "/v1");
    CHECK(message.path() == "/v1/jobs");
    CHECK(message.protocol() == "HTTP/1.1");
    CHECK(message.tls());
    CHECK(message.status() == 504);
    CHECK(message.error_reason() == "upstream_timeout");
    CHECK(message.heroku_code() == "H12");
    CHECK(message.request_bytes() == 17);
    CHECK(message.response_bytes() == 4'711);
    CHECK(message.upstream() == "web-api");
    CHECK(message.upstream_instance() == "10.0.0.7:8411");
    CHECK(message.duration_us() == 12'345);
    CHECK(message.queue_us() == 7);
    CHECK_FALSE(message.has_connect_us());
    CHECK(message.service_us() == 10'002);
    CHECK(message.transfer_us() == 1'300);
    CHECK(message.retries() == 1);
    CHECK(message.connection_reused());
    CHECK(message.account_id() == "01941f29-7c00-7aaa-8aaa-0123456789ab");
    CHECK(message.client_network() == "203.0.113.0/24");
    CHECK(message.user_agent() == "no UTF-8: \xef\xbf\xbd");
    CHECK(message.weight() == 1);
}

TEST_CASE("events wait for a broker that is away, and arrive when it is back", "[gateway][kafka]") {
    test::kafka_topics topics({topic});
    config::reader from({{"BROKER", test::kafka_topics::brokers()}});
    test::tcp_gate gate(from.endpoint("BROKER", std::nullopt, ""));
    gate.close();
    auto settings = with_events(topics);
    settings.kafka_brokers = "127.0.0.1:" + std::to_string(gate.port());
    settings.sample_rate = 1;
    rig with(settings);
    with.writer.start();
    for (std::uint64_t i = 0; i < 20; ++i) {
        with.writer.ring(0).push(finished_request(with.names, i));
    }
    const std::string waiting = "kafka_producer_queue_messages{client=\"gateway-1-access\"} 20\n";
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (with.metrics.serialize().find(waiting) == std::string::npos) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        std::this_thread::yield();
    }
    gate.open();
    with.stop(20s);
    CHECK(messages_of(topics).size() == 20);
    CHECK_THAT(with.metrics.serialize(),
               ContainsSubstring("gateway_access_events_total{result=\"sent\"} 20\n"));
}
