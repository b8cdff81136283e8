#include "gateway/client/h2_guard.hpp"
#include "support/h2_frames.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
namespace h2 = relais::test::h2;

namespace {

std::string padded_data(std::size_t content, std::uint8_t padding, std::uint8_t flags = 0) {
    return h2::frame(h2::data, h2::padded | flags, 1,
                     std::string(1, static_cast<char>(padding)) + std::string(content, 'x') +
                         std::string(padding, '\0'));
}

/// All frames, fed in pieces of this size.
std::vector<h2_frame> scanned(std::string_view bytes, std::size_t step) {
    h2_frame_scanner scanner;
    std::vector<h2_frame> out;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        auto piece = bytes.substr(at, step);
        while (const auto frame = scanner.next(piece)) {
            out.push_back(*frame);
        }
    }
    return out;
}

h2_frame frame_of(h2_frame_type type, std::uint8_t flags = 0, std::uint32_t length = 0) {
    h2_frame out;
    out.type = static_cast<std::uint8_t>(type);
    out.flags = flags;
    out.length = length;
    out.stream = 1;
    return out;
}

/// How many of them go through at once, and then ten seconds later.
std::pair<int, int> allowed(const h2_frame& frame, h2_event expected) {
    h2_guard guard;
    auto now = h2_guard::time_point{} + 1h;
    const auto count = [&] {
        int passed = 0;
        for (auto what = guard.on_frame(frame, now); passed < 5'000 && (!what || passed == 0);
             what = guard.on_frame(frame, now)) {
            if (what) {
                CHECK(*what == expected);
                break;
            }
            ++passed;
        }
        return passed;
    };
    const int first = count();
    now += 10s;
    return {first, count()};
}

} // namespace

TEST_CASE("frames are found however their bytes arrive", "[gateway][h2]") {
    const auto bytes = h2::hello() + h2::frame(h2::data, 0, 1, "") +
                       h2::frame(h2::data, 0, 3, "x") + padded_data(0, 200) + padded_data(1, 3) +
                       padded_data(0, 2, h2::end_stream) + h2::frame(h2::data, h2::padded, 1, "") +
                       h2::frame(0xfa, 0xff, 7, "zzz") + h2::frame(h2::data, h2::end_stream, 5, "");
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        INFO(step);
        const auto frames = scanned(bytes, step);
        REQUIRE(frames.size() == 9);
        CHECK(frames[0].is(h2_frame_type::settings));
        CHECK(frames[1].is_empty_data);
        CHECK_FALSE(frames[2].is_empty_data);
        CHECK(frames[2].stream == 3);
        CHECK(frames[3].is_empty_data);
        CHECK(frames[3].length == 201);
        CHECK_FALSE(frames[4].is_empty_data);
        CHECK_FALSE(frames[5].is_empty_data); // it ends the stream
        CHECK(frames[6].is_empty_data);
        CHECK(frames[7].type == 0xfa);
        CHECK(frames[7].flags == 0xff);
        CHECK(frames[8].stream == 5);
        CHECK_FALSE(frames[8].is_empty_data);
    }
}

TEST_CASE("a header block on its way is seen", "[gateway][h2]") {
    h2_frame_scanner scanner;
    h2_guard guard;
    const auto feed = [&](std::string_view bytes) {
        while (const auto frame = scanner.next(bytes)) {
            guard.on_frame(*frame, {});
        }
        return guard.inside_header_block() || scanner.inside_header_payload();
    };
    CHECK_FALSE(feed(h2::hello()));
    const auto whole = h2::get(1);
    CHECK_FALSE(feed(whole.substr(0, 8)));
    CHECK(feed(whole.substr(8, 10)));
    CHECK_FALSE(feed(whole.substr(18)));
    CHECK(feed(h2::frame(h2::headers, 0, 3, "abc")));
    CHECK(feed(h2::frame(h2::continuation, 0, 3, "")));
    CHECK_FALSE(feed(h2::frame(h2::continuation, h2::end_headers, 3, "abc")));
    CHECK_FALSE(feed(h2::frame(h2::data, 0, 3, "abc").substr(0, 10)));
}

TEST_CASE("what costs a client nothing has a budget", "[gateway][h2]") {
    auto empty = frame_of(h2_frame_type::data);
    empty.is_empty_data = true;
    h2_frame unknown;
    unknown.type = 0xee;
    using enum h2_event;
    CHECK(allowed(frame_of(h2_frame_type::rst_stream), rapid_reset) == std::pair(200, 199));
    CHECK(allowed(frame_of(h2_frame_type::settings), settings_flood) == std::pair(30, 9));
    CHECK(allowed(frame_of(h2_frame_type::ping), ping_flood) == std::pair(200, 199));
    CHECK(allowed(empty, empty_data_flood) == std::pair(100, 99));
    CHECK(allowed(frame_of(h2_frame_type::window_update), window_update_flood) ==
          std::pair(1'000, 999));
    CHECK(allowed(frame_of(h2_frame_type::priority), other_frame_flood) == std::pair(500, 499));
    CHECK(allowed(unknown, other_frame_flood) == std::pair(500, 499));
    // Bodies are not for nothing.
    CHECK(allowed(frame_of(h2_frame_type::data, 0, 1), empty_data_flood).first == 5'000);
    CHECK(allowed(frame_of(h2_frame_type::headers, h2_frame::end_headers, 9), rapid_reset).first ==
          5'000);
}

TEST_CASE("resets that the client provokes count as its own", "[gateway][h2]") {
    h2_guard guard;
    const auto now = h2_guard::time_point{} + 1h;
    for (int i = 0; i < 100; ++i) {
        REQUIRE_FALSE(guard.on_reset_provoked(now));
        REQUIRE_FALSE(guard.on_frame(frame_of(h2_frame_type::rst_stream), now));
    }
    CHECK(guard.on_reset_provoked(now) == h2_event::rapid_reset);
}

TEST_CASE("a reader of many frames may open windows for them", "[gateway][h2]") {
    h2_guard guard;
    const auto now = h2_guard::time_point{} + 1h;
    for (int i = 0; i < 100'000; ++i) {
        guard.on_data_sent();
        REQUIRE_FALSE(guard.on_frame(frame_of(h2_frame_type::window_update), now));
        REQUIRE_FALSE(guard.on_frame(frame_of(h2_frame_type::window_update), now));
    }
}

TEST_CASE("a header block has few frames and few bytes", "[gateway][h2]") {
    const h2_guard::time_point now;
    const auto first = frame_of(h2_frame_type::headers, 0, 16'384);
    const auto more = frame_of(h2_frame_type::continuation);
    h2_guard guard;
    CHECK_FALSE(guard.on_frame(first, now));
    for (int i = 0; i < 8; ++i) {
        CHECK_FALSE(guard.on_frame(more, now));
    }
    CHECK(guard.on_frame(more, now) == h2_event::continuation_flood);
    h2_guard other;
    CHECK_FALSE(other.on_frame(first, now));
    CHECK_FALSE(other.on_frame(frame_of(h2_frame_type::continuation, 0, 16'384), now));
    CHECK(other.on_frame(frame_of(h2_frame_type::continuation, 0, 1), now) ==
          h2_event::continuation_flood);
    // The next block begins anew.
    h2_guard third;
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(third.on_frame(first, now));
        CHECK_FALSE(third.on_frame(more, now));
    }
}

TEST_CASE("what a client sends behind the end of its stream is found", "[gateway][h2]") {
    using enum h2_frame_type;
    h2_guard guard;
    const auto tell = [&](h2_frame_type type, std::uint32_t stream, std::uint8_t flags = 0) {
        auto frame = frame_of(type, static_cast<std::uint8_t>(flags | h2_frame::end_headers), 9);
        frame.stream = stream;
        return guard.on_frame(frame, {});
    };
    CHECK_FALSE(tell(headers, 1, h2_frame::end_stream));
    CHECK_FALSE(tell(headers, 5));
    CHECK_FALSE(tell(window_update, 1));
    CHECK_FALSE(tell(rst_stream, 1));
    CHECK_FALSE(tell(data, 5));
    CHECK_FALSE(tell(headers, 5, h2_frame::end_stream)); // trailers
    CHECK(tell(data, 5) == h2_event::closed_stream);
    CHECK(tell(headers, 1) == h2_event::closed_stream);
    CHECK(tell(headers, 3) == h2_event::protocol_error);
    CHECK_FALSE(tell(data, 3));  // the library knows that it is idle
    CHECK_FALSE(tell(data, 99)); // likewise
    CHECK_FALSE(tell(headers, 7));
    CHECK_FALSE(tell(rst_stream, 7));
    CHECK(tell(data, 7) == h2_event::closed_stream);
    CHECK_FALSE(tell(headers, 133));
    CHECK(tell(data, 7) == h2_event::closed_stream);
    CHECK_FALSE(tell(headers, 135));
    CHECK_FALSE(tell(data, 7)); // too long ago
    CHECK_FALSE(tell(headers, 0x7fffffff, h2_frame::end_stream));
    CHECK(tell(headers, 0x7fffffff) == h2_event::closed_stream);
}

TEST_CASE("a priority may not be of the connection, nor of itself", "[gateway][h2]") {
    const auto told = [](const std::string& frame) {
        h2_frame_scanner scanner;
        h2_guard guard;
        const auto bytes = h2::hello() + frame;
        auto rest = std::string_view(bytes);
        std::optional<h2_event> what;
        while (const auto each = scanner.next(rest)) {
            what = guard.on_frame(*each, {});
        }
        return what;
    };
    const auto priority = [](std::uint32_t stream, std::uint32_t on) {
        return h2::frame(h2::priority, 0, stream, h2::number(on) + "w");
    };
    CHECK_FALSE(told(priority(3, 1)));
    CHECK_FALSE(told(priority(3, 0x80000000)));
    CHECK(told(priority(0, 1)) == h2_event::protocol_error);
    CHECK(told(priority(3, 3)) == h2_event::protocol_error);
    CHECK(told(priority(3, 0x80000003)) == h2_event::protocol_error);
    CHECK_FALSE(told(h2::frame(h2::priority, 0, 3, "abc"))); // its size is the library's to see
}
