#include "support/h2_frames.hpp"
#include "support/h2_rig.hpp"
#include "support/h2_test_client.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <sys/socket.h>
#include <vector>

using namespace relais;
using namespace std::chrono_literals;
using gateway::h2_event;
namespace h2 = relais::test::h2;

namespace {

constexpr std::int64_t enhance_your_calm = 0xb;

std::string times(int count, const std::string& bytes) {
    std::string out;
    for (int i = 0; i < count; ++i) {
        out += bytes;
    }
    return out;
}

/// The connection ends with ENHANCE_YOUR_CALM, one event is counted, someone hears of it.
void expect_end(h2::rig& rig, h2::raw_client& client, h2_event what) {
    CHECK(client.goaway_code() == enhance_your_calm);
    CHECK(rig.events(what) == 1);
    ::shutdown(client.descriptor(), SHUT_RDWR); // else it waits for that
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    REQUIRE_FALSE(rig.told().empty());
    CHECK(rig.told().back() == "http2-abuse");
}

void expect_end(const std::string& bytes, h2_event what) {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello());
    client.send(bytes);
    expect_end(rig, client, what);
}

} // namespace

TEST_CASE("requests that are taken back at once end the connection", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    std::string bytes = h2::hello();
    for (std::uint32_t i = 0; i < 400; ++i) {
        bytes +=
            h2::get(1 + 2 * i, "/hold") + h2::frame(h2::rst_stream, 0, 1 + 2 * i, h2::number(8));
    }
    client.send(bytes);
    expect_end(rig, client, h2_event::rapid_reset);
    // Nobody was bothered by most of them: they were gone before anybody was told.
    CHECK(rig.requests + rig.events(h2_event::reset_before_served) <= 200);
    CHECK(rig.gone <= rig.requests);
}

TEST_CASE("resets that the client makes us send count, too", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello());
    SECTION("by windows that grow too large") {
        for (std::uint32_t i = 0; i < 300; ++i) {
            client.send(h2::get(1 + 2 * i, "/hold") +
                        h2::frame(h2::window_update, 0, 1 + 2 * i, h2::number(0x7fffffff)));
        }
    }
    SECTION("by malformed requests") {
        for (std::uint32_t i = 0; i < 300; ++i) {
            client.send(h2::get(1 + 2 * i, ""));
        }
    }
    expect_end(rig, client, h2_event::rapid_reset);
}

TEST_CASE("header blocks in too many pieces end the connection", "[gateway][h2]") {
    const auto begin = h2::frame(h2::headers, h2::end_stream, 1, h2::block(h2::request("/")));
    SECTION("empty ones") {
        expect_end(begin + times(20, h2::frame(h2::continuation, 0, 1, "")),
                   h2_event::continuation_flood);
    }
    SECTION("large ones") {
        const auto piece = h2::block({{"x-a", std::string(16'000, 'a')}});
        expect_end(begin + times(4, h2::frame(h2::continuation, 0, 1, piece)),
                   h2_event::continuation_flood);
    }
    SECTION("on a stream that we had reset") {
        expect_end(h2::frame(h2::headers, h2::end_headers, 1, h2::block({{"X", ""}})) +
                       h2::frame(h2::headers, h2::end_stream, 1, "") +
                       times(20, h2::frame(h2::continuation, 0, 1, "")),
                   h2_event::continuation_flood);
    }
}

TEST_CASE("a header list over the limit is answered 431", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    auto fields = h2::request("/echo");
    SECTION("by bytes") {
        for (int i = 0; i < 9; ++i) {
            fields.emplace_back("x-" + std::to_string(i), std::string(2'000, 'a'));
        }
    }
    SECTION("by number") {
        for (int i = 0; i < 101; ++i) {
            fields.emplace_back("x-" + std::to_string(i), "");
        }
    }
    CHECK(client.wait(client.send(fields)).status == 400); // the stub's word for it
    CHECK(rig.told() == std::vector<std::string>{"header-too-large"});
    CHECK(rig.events(h2_event::head_too_large) == 1);
    CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
    fields = h2::request("/echo");
    for (int i = 0; i < 100; ++i) {
        fields.emplace_back("x-" + std::to_string(i), "");
    }
    CHECK(client.wait(client.send(fields)).status == 200);
}

TEST_CASE("a header block that unpacks to far more ends the connection", "[gateway][h2]") {
    // A field of 4,000 bytes goes into the table, and is named again by one byte each time.
    std::string bomb = h2::block(h2::request("/"));
    bomb += '\x40' + h2::block({{"x", std::string(4'000, 'a')}}).substr(1);
    bomb += std::string(10'000, '\xbe');
    expect_end(h2::frame(h2::headers, h2::end_stream | h2::end_headers, 1, bomb),
               h2_event::header_bomb);
}

TEST_CASE("floods of frames end the connection", "[gateway][h2]") {
    SECTION("SETTINGS") {
        expect_end(times(100, h2::frame(h2::settings, 0, 0, "")), h2_event::settings_flood);
    }
    SECTION("PING") {
        expect_end(times(500, h2::frame(h2::ping, 0, 0, "12345678")), h2_event::ping_flood);
    }
    SECTION("answers to PINGs that were never sent") {
        expect_end(times(500, h2::frame(h2::ping, h2::ack, 0, "12345678")), h2_event::ping_flood);
    }
    SECTION("PRIORITY") {
        expect_end(times(1'000, h2::frame(h2::priority, 0, 9, std::string(5, '\0'))),
                   h2_event::other_frame_flood);
    }
    SECTION("unknown types") {
        expect_end(times(1'000, h2::frame(0xbe, 0, 0, "x")), h2_event::other_frame_flood);
    }
    SECTION("WINDOW_UPDATE") {
        expect_end(times(2'000, h2::frame(h2::window_update, 0, 0, h2::number(1))),
                   h2_event::window_update_flood);
    }
    SECTION("empty DATA") {
        expect_end(
            h2::frame(h2::headers, h2::end_headers, 1, h2::block(h2::request("/echo", "PUT"))) +
                times(300, h2::frame(h2::data, 0, 1, "")),
            h2_event::empty_data_flood);
    }
    SECTION("DATA of nothing but padding") {
        expect_end(
            h2::frame(h2::headers, h2::end_headers, 1, h2::block(h2::request("/echo", "PUT"))) +
                times(300, h2::frame(h2::data, h2::padded, 1, std::string(5, '\x04'))),
            h2_event::empty_data_flood);
    }
}

TEST_CASE("who makes us answer and does not read loses the connection", "[gateway][h2]") {
    gateway::client_limits limits;
    limits.answer_idle = 200ms;
    h2::rig rig(limits);
    h2::raw_client client(rig.open());
    const int little = 4'096;
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    client.send(h2::hello() + h2::frame(h2::settings, 0, 0, "") +
                h2::frame(h2::window_update, 0, 0, h2::number(0x7fff0000)));
    SECTION("no byte is taken in time") {
        client.send(h2::frame(h2::settings, 0, 0, std::string("\0\x04\x7f\xff\0\0", 6)) +
                    h2::get(1, "/bytes/50000000"));
        CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
        CHECK(rig.events(h2_event::write_timeout) == 1);
        CHECK(rig.gone == 1);
    }
}

TEST_CASE("an answer whose window stays shut is given up", "[gateway][h2]") {
    gateway::client_limits limits;
    limits.answer_idle = 100ms;
    h2::rig rig(limits);
    h2::client::settings how;
    how.open_windows = false;
    h2::client client(rig.open(), how);
    const auto& answer = client.wait(client.send(h2::request("/bytes/1000000")));
    CHECK(answer.body_bytes == 65'535);
    CHECK(answer.reset_code == 8);
    CHECK(rig.events(h2_event::slow_reader) == 1);
    CHECK(rig.gone == 1);
    CHECK(rig.closed == 0);
}

TEST_CASE("a window that is shut from the start does not hold an answer's head", "[gateway][h2]") {
    gateway::client_limits limits;
    limits.answer_idle = 100ms;
    h2::rig rig(limits);
    h2::client::settings how;
    how.stream_window = 0;
    h2::client client(rig.open(), how);
    const auto& answer = client.wait(client.send(h2::request("/bytes/1000")));
    CHECK(answer.status == 200);
    CHECK(answer.body_bytes == 0);
    CHECK(answer.reset_code == 8);
}

TEST_CASE("a body that does not come is a timeout, one that trickles too", "[gateway][h2]") {
    gateway::client_limits limits;
    limits.body_idle = 100ms;
    limits.body_bytes_per_second_min = 100'000;
    h2::rig rig(limits);
    h2::client client(rig.open());
    const auto& answer = client.wait(client.send(h2::request("/echo", "PUT"), 10, false));
    CHECK(answer.status == 408);
    CHECK(answer.reset_code == 0);
    CHECK(rig.told() == std::vector<std::string>{"request-timeout"});
}

TEST_CASE("more streams than were allowed are refused", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    std::string bytes = h2::hello();
    for (std::uint32_t i = 0; i < 105; ++i) {
        bytes += h2::get(1 + 2 * i, "/hold");
    }
    client.send(bytes);
    h2::received_frame frame;
    for (std::uint32_t i = 100; i < 105; ++i) {
        REQUIRE(client.next_of(h2::rst_stream, frame, 1 + 2 * i));
        CHECK(frame.error_code() == 7);
    }
    CHECK(h2::rig::eventually([&] { return rig.requests == 100; }));
}

TEST_CASE("priorities in any form are let pass and change nothing", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello() + h2::frame(h2::priority, 0, 3, h2::number(0x80000001) + "\xff") +
                h2::frame(0x10, 0, 0, h2::number(1) + "u=0") +
                h2::frame(h2::headers, h2::end_stream | h2::end_headers | 0x20, 1,
                          h2::number(3) + "\x10" + h2::block(h2::request("/echo"))));
    h2::received_frame frame;
    REQUIRE(client.next_of(h2::headers, frame, 1));
}
