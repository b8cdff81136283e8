#include "support/http_server_rig.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::get;
using test::raw_client;
using test::running_server;

TEST_CASE("connections over the limit wait until there is room", "[http][server]") {
    http::server_settings settings;
    settings.connections_max = 1;
    running_server server(settings);
    auto first = std::make_unique<raw_client>(server.port());
    first->send(get("/echo"));
    CHECK_THAT(first->read_answer(), StartsWith("HTTP/1.1 200"));
    raw_client second(server.port());
    second.send(get("/echo"));
    first.reset();
    CHECK_THAT(second.read_answer(), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a stop lets the request in progress end", "[http][server]") {
    running_server server;
    raw_client idle(server.port());
    idle.send(get("/echo"));
    CHECK_THAT(idle.read_answer(), !ContainsSubstring("Connection: close"));
    raw_client busy(server.port());
    busy.send(get("/wait"));
    server.wait_for_active(1);
    auto stopped = server.stop(5s);
    CHECK(idle.closed_by_peer());
    CHECK_THROWS(raw_client(server.port()));
    server.release();
    CHECK_THAT(busy.read_answer(),
               ContainsSubstring("waited") && ContainsSubstring("Connection: close"));
    CHECK(busy.closed_by_peer());
    CHECK(stopped.wait_for(5s) == std::future_status::ready);
}

TEST_CASE("a stop cuts off what takes too long", "[http][server]") {
    running_server server;
    raw_client busy(server.port());
    busy.send(get("/wait"));
    server.wait_for_active(1);
    auto stopped = server.stop(50ms);
    CHECK(stopped.wait_for(5s) == std::future_status::ready);
    CHECK(busy.read_answer().empty());
}

TEST_CASE("a port that is taken is named", "[http][server]") {
    running_server server;
    boost::asio::io_context loop;
    metrics::registry metrics;
    http::server_settings settings;
    settings.listen = {"127.0.0.1", server.port()};
    http::server second(settings, {}, nullptr, loop, metrics, log::logger());
    const auto started = second.start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().detail, ContainsSubstring(std::to_string(server.port())));
}
