#include "support/h2_rig.hpp"
#include "support/h2_test_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>
#include <vector>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
namespace h2 = relais::test::h2;

namespace {

constexpr std::size_t megabyte = std::size_t{1024} * 1024;

/// GET, POST … of the path, with more fields.
h2::field_list with(const std::string& path, const std::string& method,
                    const h2::field_list& more) {
    auto fields = h2::request(path, method);
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

} // namespace

TEST_CASE("requests on one connection are served together, each with its own answer",
          "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    std::vector<std::int32_t> streams;
    streams.reserve(100);
    for (int i = 0; i < 100; ++i) {
        streams.push_back(client.send(h2::request("/echo?" + std::to_string(i))));
    }
    for (int i = 0; i < 100; ++i) {
        const auto& answer = client.wait(streams[static_cast<std::size_t>(i)]);
        REQUIRE(answer.whole);
        CHECK(answer.status == 200);
        CHECK(answer.fields.at("x-stub") == "yes");
        CHECK(answer.fields.at("content-length") == std::to_string(answer.body.size()));
        CHECK(answer.body == "GET /echo?" + std::to_string(i) + " a 2\nbody 0");
    }
    CHECK(rig.finished == 100);
    CHECK(rig.gone == 0);
}

TEST_CASE("a request's fields arrive checked and in one form", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto& answer = client.wait(client.send(with(
        "/x/../echo", "GET", {{"cookie", "a=1"}, {"x-a", "b"}, {"x_a", "c"}, {"cookie", "d=2"}})));
    CHECK(answer.body == "GET /echo? a 2\ncookie: a=1; d=2\nx-a: b\nbody 0");
}

TEST_CASE("answers without a body, of no known length, and interim ones", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto empty = client.wait(client.send(h2::request("/empty")));
    CHECK(empty.status == 204);
    CHECK(empty.whole);
    CHECK_FALSE(empty.fields.contains("content-length"));
    const auto interim = client.wait(client.send(h2::request("/interim")));
    CHECK(interim.interim == std::vector{103});
    CHECK(interim.status == 200);
    CHECK(interim.body == "done");
}

TEST_CASE("bodies of any size go both ways in small windows", "[gateway][h2]") {
    h2::rig rig;
    h2::client::settings how;
    how.keep_bodies = false;
    h2::client client(rig.open(), how);
    SECTION("up, of known length") {
        const auto size = 20 * megabyte;
        const auto& answer = client.wait(
            client.send(with("/echo", "PUT", {{"content-length", std::to_string(size)}}), size));
        CHECK(answer.status == 200);
        CHECK(rig.body_bytes == size);
    }
    SECTION("up, of unknown length, several at a time") {
        std::vector<std::int32_t> streams;
        for (int i = 0; i < 10; ++i) {
            streams.push_back(client.send(h2::request("/echo", "PUT"), 2 * megabyte));
        }
        for (const auto stream : streams) {
            CHECK(client.wait(stream).status == 200);
        }
        CHECK(rig.body_bytes == 20 * megabyte);
    }
    SECTION("down, several at a time, in turns") {
        const auto large = client.send(h2::request("/bytes/30000000"));
        const auto small = client.send(h2::request("/bytes/100000"));
        REQUIRE(client.run([&] { return client.at(small).closed; }));
        CHECK(client.at(large).body_bytes < 3'000'000);
        CHECK(client.wait(large).body_bytes == 30'000'000);
        CHECK(client.at(large).whole);
    }
}

TEST_CASE("a body that nobody takes stops at the stream's window", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto held = client.send(h2::request("/hold", "PUT"), megabyte);
    const auto other = client.send(h2::request("/echo", "PUT"), megabyte);
    CHECK(client.wait(other).status == 200); // the connection's window is not used up
    CHECK(client.sent_of(held) == 65'536);
    rig.release();
    CHECK(client.wait(held).status == 200);
    CHECK(client.sent_of(held) == megabyte);
}

TEST_CASE("bodies that nobody takes stop at the connection's window, and give it back",
          "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    std::vector<std::int32_t> streams;
    for (int i = 0; i < 40; ++i) {
        streams.push_back(client.send(h2::request("/hold", "PUT"), megabyte));
    }
    const auto sent = [&] {
        std::size_t sum = 0;
        for (const auto stream : streams) {
            sum += client.sent_of(stream);
        }
        return sum;
    };
    REQUIRE(client.run([&] { return sent() == megabyte && rig.requests == 40; }));
    // Streams that are taken back leave nothing behind.
    for (const auto stream : streams) {
        client.reset(stream);
    }
    CHECK(client.wait(client.send(h2::request("/echo", "PUT"), 3 * megabyte)).status == 200);
    CHECK(h2::rig::eventually([&] { return rig.gone == 40; }));
}

TEST_CASE("a body is exactly as long as was announced", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto put = [&](const std::string& announced, std::size_t size) {
        return client.wait(
            client.send(with("/echo", "PUT", {{"content-length", announced}}), size));
    };
    CHECK(put("10", 10).status == 200);
    const auto more = put("10", 11);
    CHECK(more.status == 0);
    CHECK(more.reset_code == 1);
    const auto fewer = put("10", 9);
    CHECK(fewer.status == 0);
    CHECK(fewer.reset_code == 1);
    CHECK(put("0", 1).reset_code == 1);
    CHECK(put("200000", 200'001).reset_code == 1);
    CHECK(put("200000", 199'999).reset_code == 1);
    CHECK(rig.events(gateway::h2_event::malformed_request) == 5);
    CHECK(rig.told() == std::vector<std::string>(5, "malformed-request"));
    CHECK(put("10", 10).status == 200);
}

TEST_CASE("malformed requests are told, and reset their stream only", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto code_of = [&](const h2::field_list& fields) {
        const auto answer = client.wait(client.send(fields));
        CHECK(answer.status == 0);
        return answer.reset_code;
    };
    CHECK(code_of(with("/echo", "GET", {{"connection", "close"}})) == 1);
    CHECK(code_of(with("/echo", "GET", {{"x", "a\nb"}})) == 1);
    CHECK(code_of(with("/echo", "GET", {{"host", "other"}})) == 1);
    CHECK(code_of(h2::request("")) == 1);
    CHECK(rig.told() == std::vector<std::string>(4, "malformed-request"));
    CHECK(rig.events(gateway::h2_event::malformed_request) == 4);
    // What is only not done here is answered.
    CHECK(client.wait(client.send(h2::request("/echo", "TRACE"))).status == 400);
    CHECK(client.wait(client.send(h2::request("/echo", "BREW"), 100)).status == 400);
    CHECK(client.wait(client.send(h2::request("/" + std::string(9'000, 'x')))).status == 400);
    CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
    CHECK(rig.told().back() == "uri-too-long");
}

TEST_CASE("an answer that does not wait for the body ends the upload", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto& answer = client.wait(client.send(h2::request("/early", "PUT"), 100 * megabyte));
    CHECK(answer.status == 403);
    CHECK(answer.body == "no");
    CHECK(answer.whole);
    CHECK(answer.reset_code == 0);
    CHECK(client.wait(client.send(h2::request("/echo", "PUT"), 2 * megabyte)).status == 200);
}

TEST_CASE("an answer that breaks off is a reset", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto& answer = client.wait(client.send(h2::request("/break")));
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.whole);
    CHECK(answer.reset_code == 2);
    CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
}

TEST_CASE("100-continue is said when the body is wanted", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto fields = with("/hold", "PUT", {{"expect", "100-continue"}});
    const auto waits = client.send(fields, 0, false);
    REQUIRE(client.run([&] { return rig.requests == 1; }));
    CHECK(client.at(waits).interim.empty());
    rig.release();
    CHECK(client.run([&] { return client.at(waits).interim == std::vector{100}; }));
    // Who does not wait needs no word.
    const auto sends =
        client.wait(client.send(with("/echo", "PUT", {{"expect", "100-continue"}}), 5));
    CHECK(sends.status == 200);
}

TEST_CASE("a request that is taken back is told once", "[gateway][h2]") {
    h2::rig rig;
    h2::client client(rig.open());
    const auto held = client.send(h2::request("/hold"));
    const auto large = client.send(h2::request("/bytes/50000000"));
    REQUIRE(client.run([&] { return client.at(large).body_bytes > 0; }));
    client.reset(held);
    client.reset(large);
    CHECK(client.run([&] { return rig.gone == 2; }));
    CHECK(client.wait(client.send(h2::request("/echo"))).status == 200);
    CHECK(rig.gone == 2);
    CHECK(rig.finished == 1);
}

TEST_CASE("a connection that goes away takes its requests with it", "[gateway][h2]") {
    h2::rig rig;
    {
        h2::client client(rig.open());
        client.send(h2::request("/hold"));
        client.send(h2::request("/hold", "PUT"), 100'000);
        client.send(h2::request("/bytes/50000000"));
        REQUIRE(client.run([&] { return rig.requests == 3; }));
    }
    CHECK(h2::rig::eventually([&] { return rig.closed == 1; }));
    CHECK(rig.gone == 3);
}

TEST_CASE("trailers are checked, and forgotten", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    const auto begin = [](std::uint32_t stream) {
        return h2::frame(h2::headers, h2::end_headers, stream,
                         h2::block(h2::request("/echo", "PUT"))) +
               h2::frame(h2::data, 0, stream, "abc");
    };
    const auto trailers = [](std::uint32_t stream, const h2::field_list& fields,
                             std::uint8_t flags = h2::end_stream | h2::end_headers) {
        return h2::frame(h2::headers, flags, stream, h2::block(fields));
    };
    client.send(h2::hello() + begin(1) + trailers(1, {{"x-sum", "1"}, {"authorization", "z"}}));
    h2::received_frame frame;
    REQUIRE(client.next_of(h2::data, frame));
    CHECK_THAT(frame.payload, ContainsSubstring("body 3") && !ContainsSubstring("x-sum"));
    client.send(begin(3) + trailers(3, {{":path", "/"}}));
    REQUIRE(client.next_of(h2::rst_stream, frame, 3));
    CHECK(frame.error_code() == 1);
    client.send(begin(5) + trailers(5, {{"x-sum", "1"}}, h2::end_headers));
    REQUIRE(client.next_of(h2::rst_stream, frame, 5));
    CHECK(frame.error_code() == 1);
    client.send(begin(7) + trailers(7, {{"X-Sum", "1"}}));
    REQUIRE(client.next_of(h2::rst_stream, frame, 7));
    CHECK(frame.error_code() == 1);
    CHECK(rig.told() == std::vector<std::string>(3, "malformed-request"));
}

TEST_CASE("padding costs the window, and comes back", "[gateway][h2]") {
    h2::rig rig;
    h2::raw_client client(rig.open());
    client.send(h2::hello() +
                h2::frame(h2::headers, h2::end_headers, 1, h2::block(h2::request("/echo", "PUT"))));
    // Far more than a window of padding.
    const std::string piece = std::string(1, '\xff') + "x" + std::string(255, '\0');
    std::string bytes;
    for (int i = 0; i < 1'000; ++i) {
        bytes += h2::frame(h2::data, h2::padded, 1, piece);
        if (i % 100 == 99) {
            REQUIRE(client.send(bytes));
            bytes.clear();
            const auto wanted = static_cast<std::size_t>(i + 1);
            REQUIRE(h2::rig::eventually([&] { return rig.body_bytes == wanted; }));
        }
    }
    client.send(h2::frame(h2::data, h2::end_stream, 1, ""));
    h2::received_frame frame;
    REQUIRE(client.next_of(h2::data, frame));
    CHECK_THAT(frame.payload, ContainsSubstring("body 1000"));
}
