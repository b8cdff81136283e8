#include "async/task_group.hpp"
#include "events/event.hpp"
#include "events/topics.hpp"
#include "kafka/broadcast_reader.hpp"
#include "kafka/producer.hpp"
#include "support/await_on.hpp"
#include "support/gateway_process.hpp"
#include "support/kafka_topics.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <poll.h>
#include <relais/edge/v1/security_events.pb.h>
#include <relais/identity/v1/account_events.pb.h>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

/// The gateway reads and writes the suite's own topics; on a fresh broker they are made here.
void make_topic(const std::string& name) {
    kafka::admin admin(test::kafka_topics::brokers(), "test", 10s);
    const auto made = admin.create({name, events::find_topic(name)->partitions, 1, {}});
    REQUIRE((made || made.error().slug == "topic-exists"));
}

std::string status_with_token(const gateway_process& gateway) {
    raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/echo", "Authorization: Bearer good\r\n"));
    return client.read_answer().substr(9, 3);
}

} // namespace

TEST_CASE("a revoked credential is refused at once", "[gateway][kafka]") {
    make_topic("identity.account.events.v1");
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()),
                            {{"RELAIS_KAFKA_BROKERS", test::kafka_topics::brokers()}});
    REQUIRE(status_with_token(gateway) == "200");

    boost::asio::io_context loop{1};
    metrics::registry metrics;
    kafka::producer producer({.brokers = test::kafka_topics::brokers(), .client_id = "test"}, loop,
                             metrics, log::logger());
    identity::v1::CredentialRevoked revoked;
    revoked.set_account_id(origin_server::account);
    revoked.set_credential_id(origin_server::session);
    const auto why = events::cause::from_request(trace::context::start(), "test");
    const auto event = events::make_event(revoked, "web-api", why, system_clock().now());
    REQUIRE(test::await_on(loop, producer.send(kafka::to_record(event))));

    std::string status;
    for (int i = 0; i < 500 && status != "401"; ++i) {
        status = status_with_token(gateway);
        ::poll(nullptr, 0, 20);
    }
    CHECK(status == "401");
    CHECK(origin.introspections() == 1); // the cache was told, nobody was asked
}

TEST_CASE("a refusal worth watching becomes an event", "[gateway][kafka]") {
    make_topic("edge.security.events.v1");
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()),
                            {{"RELAIS_KAFKA_BROKERS", test::kafka_topics::brokers()}});
    raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/echo",
                             "X-Request-Id: watched-" + std::to_string(gateway.port()) +
                                 "\r\nAuthorization: Bearer bad\r\n"));
    REQUIRE_THAT(client.read_answer(), StartsWith("HTTP/1.1 401"));

    boost::asio::io_context loop{1};
    metrics::registry metrics;
    std::optional<edge::v1::RequestRefused> found;
    async::task_group tasks(loop, [](const std::string&, const std::string& what) { FAIL(what); });
    kafka::broadcast_reader reader(
        {.brokers = test::kafka_topics::brokers(),
         .client_id = "test",
         .topics = {{"edge.security.events.v1", 1min}}},
        [&](const kafka::record& record) {
            const auto event = kafka::to_event(record);
            auto message = event ? events::decode<edge::v1::RequestRefused>(*event)
                                 : result<edge::v1::RequestRefused>(std::unexpected(event.error()));
            if (message && message->request_id() == "watched-" + std::to_string(gateway.port())) {
                found = *message;
                tasks.cancel();
            }
        },
        loop, metrics, log::logger());
    tasks.spawn("reader", reader.run());
    loop.run_for(20s);
    REQUIRE(found);
    CHECK(found->reason() == "invalid_token");
    CHECK(found->route() == "/v1");
    CHECK(found->status() == 401);
    CHECK(found->instance() == "gateway-under-test");
}

TEST_CASE("without a broker requests are served and events dropped", "[gateway]") {
    origin_server origin;
    gateway_process gateway(test::routes_for(origin.port()));
    raw_client client(gateway.port());
    for (int i = 0; i < 50; ++i) {
        client.send(request_text("GET", "/v1/echo", "Authorization: Bearer bad\r\n"));
        REQUIRE_THAT(client.read_answer(), StartsWith("HTTP/1.1 401"));
    }
    gateway.terminate();
    CHECK(gateway.wait() == 0);
}
