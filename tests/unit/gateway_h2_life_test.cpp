#include "support/h2_frames.hpp"
#include "support/h2_rig.hpp"
#include "support/h2_test_client.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace relais;
using namespace std::chrono_literals;
using gateway::client_limits;
using gateway::h2_event;
namespace h2 = relais::test::h2;

namespace {

constexpr std::int32_t any_stream = 0x7fffffff;

} // namespace

TEST_CASE("what a server says first", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    h2::received_frame frame;
    REQUIRE(client.next(frame)); // without waiting for the client
    REQUIRE(frame.type == h2::settings);
    const auto entry = [](char id, std::uint32_t value) {
        return std::string(1, '\0') + id + h2::number(value);
    };
    CHECK(frame.payload == entry(3, 100) + entry(4, 65'536) + entry(6, 16'384) + entry(9, 1));
    REQUIRE(client.next(frame));
    CHECK(frame.type == h2::window_update);
    CHECK(frame.stream == 0);
    CHECK(frame.payload == h2::number(1'048'576 - 65'535));
}

TEST_CASE("bytes that came before are served, on a channel that was open before", "[gateway][h2]") {
    const auto bytes = h2::hello() + h2::get(1, "/echo");
    for (const std::size_t before :
         {std::size_t{0}, std::size_t{3}, std::size_t{24}, bytes.size()}) {
        INFO(before);
        h2::rig each;
        h2::raw_client client(each.open_with(bytes.substr(0, before)));
        client.send(bytes.substr(before));
        h2::received_frame frame;
        CHECK(client.next_of(h2::headers, frame, 1));
    }
}

TEST_CASE("a request in single bytes is one", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    for (const char byte : h2::hello() + h2::get(1, "/echo")) {
        client.send({&byte, 1});
    }
    h2::received_frame frame;
    CHECK(client.next_of(h2::headers, frame, 1));
}

TEST_CASE("what is no HTTP/2 ends the connection", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.goaway_code();
    CHECK(client.closed_by_peer());
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.events(h2_event::not_http2) == 1);
}

TEST_CASE("an error of the connection is told and ends it", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello() + h2::get(1, "/hold") + h2::frame(h2::data, 0, 0, "x"));
    CHECK(client.goaway_code() == 1);
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.events(h2_event::protocol_error) == 1);
    CHECK(rig.gone == 1);
}

TEST_CASE("a connection without requests ends after a while", "[gateway][h2]") {
    client_limits limits;
    limits.idle = 100ms;
    h2::rig rig(limits);
    h2::client client(rig.open());
    SECTION("from the start") {}
    SECTION("after one") {
        CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
    }
    CHECK(client.run([&] { return client.got_goaway(); }));
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.events(h2_event::idle_timeout) == 1);
}

TEST_CASE("a request under way keeps the connection", "[gateway][h2]") {
    client_limits limits;
    limits.idle = 250ms;
    h2::rig rig(limits);
    h2::client client(rig.open());
    const auto held = client.send(h2::request("/hold"));
    const auto until = std::chrono::steady_clock::now() + 800ms;
    client.run([&] { return std::chrono::steady_clock::now() > until; });
    rig.release();
    CHECK(client.wait(held).status == 200);
}

TEST_CASE("a header block that does not end in time ends the connection", "[gateway][h2]") {
    client_limits limits;
    limits.head = 150ms;
    h2::rig rig(limits);
    h2::raw_client client(rig.open());
    client.send(h2::hello() + h2::frame(h2::settings, h2::ack, 0, ""));
    SECTION("between frames") {
        client.send(h2::frame(h2::headers, h2::end_stream, 1, h2::block(h2::request("/"))));
    }
    SECTION("inside one") {
        client.send(h2::get(1).substr(0, 20));
    }
    CHECK(client.goaway_code() == 0xb);
    CHECK(rig.events(h2_event::head_timeout) == 1);
    CHECK(rig.requests == 0);
}

TEST_CASE("SETTINGS have to be acknowledged", "[gateway][h2]") {
    client_limits limits;
    limits.head = 100ms;
    h2::rig rig(limits);
    SECTION("they are not") {
        h2::raw_client client(rig.open());
        client.send(h2::hello());
        CHECK(client.goaway_code() == 4);
        CHECK(rig.events(h2_event::settings_timeout) == 1);
    }
    SECTION("no preface comes") {
        h2::raw_client client(rig.open());
        CHECK(client.goaway_code() == 4);
    }
    SECTION("they are") {
        h2::client client(rig.open());
        const auto until = std::chrono::steady_clock::now() + 200ms;
        client.run([&] { return std::chrono::steady_clock::now() > until; });
        CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
    }
}

TEST_CASE("a drain lets streams finish and wants no more of them", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto held = client.send(h2::request("/hold"));
    REQUIRE(client.run([&] { return rig.requests == 1; }));
    rig.announce_drain();
    CHECK(client.run([&] { return client.got_goaway(); }));
    CHECK(client.goaway_last() == any_stream);
    rig.close_idle();
    CHECK(client.run([&] { return client.goaway_last() == held; }));
    CHECK(rig.closed == 0);
    rig.release();
    CHECK(client.wait(held).status == 200);
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.gone == 0);
}

TEST_CASE("requests that come while a drain is announced are served", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello() + h2::get(1, "/echo"));
    h2::received_frame frame;
    REQUIRE(client.next_of(h2::data, frame, 1));
    rig.announce_drain();
    client.send(h2::get(3, "/echo")); // it did not know yet
    REQUIRE(client.next_of(h2::data, frame, 3));
    rig.close_idle();
    CHECK(client.goaway_code() == 0);
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
}

TEST_CASE("a connection that is new in a drain has a moment for its request", "[gateway][h2]") {
    client_limits limits;
    limits.first_while_draining = 100ms;
    h2::rig rig(limits);
    SECTION("it comes") {
        h2::client client(rig.open());
        rig.close_idle();
        CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
        CHECK(client.run([&] { return client.got_goaway(); }));
    }
    SECTION("it does not") {
        h2::raw_client client(rig.open());
        rig.close_idle();
        CHECK(client.goaway_code() == 0);
    }
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
}

TEST_CASE("a connection that is refused says why, once", "[gateway][h2]") {
    client_limits limits;
    limits.first_while_draining = 100ms;
    h2::rig rig(limits);
    const error why{error_kind::rate_limited, "connection-limit", "", "", std::nullopt};
    SECTION("to its first request") {
        h2::client client(rig.open_refused(why));
        CHECK(client.wait(client.send(h2::request("/echo"))).status == 400);
        CHECK(rig.told() == std::vector<std::string>{"connection-limit"});
    }
    SECTION("or ends without one") {
        h2::raw_client client(rig.open_refused(why));
        CHECK(client.goaway_code() == 0);
    }
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.requests == 0);
}

TEST_CASE("a client that says goodbye is served to the end", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello() + h2::get(1, "/hold") +
                h2::frame(h2::goaway, 0, 0, h2::number(0) + h2::number(0)));
    REQUIRE(h2::rig::eventually([&] { return rig.requests == 1; }));
    rig.release();
    h2::received_frame frame;
    CHECK(client.next_of(h2::data, frame, 1));
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
}

TEST_CASE("an answer that is taken back in time was never there", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto answer = client.wait(client.send(h2::request("/regret")));
    CHECK(answer.status == 502);
}

TEST_CASE("a loop that stops with connections open leaves nothing behind", "[gateway][h2]") {
    auto rig = std::make_unique<h2::rig>();
    h2::client client(rig->open());
    client.send(h2::request("/hold", "PUT"), 100'000);
    client.send(h2::request("/bytes/9000000"));
    REQUIRE(client.run([&] { return rig->requests == 2; }));
    rig.reset();
    CHECK_FALSE(client.run([] { return false; }));
}
