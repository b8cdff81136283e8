#include "gateway/channel/body_reader.hpp"
#include "gateway/exchange/field_class.hpp"
#include "gateway/loop/loop_metrics.hpp"
#include "gateway/loop/read_buffer.hpp"
#include "gateway/loop/timer_wheel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <poll.h>
#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using steady = std::chrono::steady_clock;

/// Notes when it was called, and may do more then.
struct sleeper {
    timer_wheel::entry timer;
    steady::time_point due;
    steady::time_point called{};
    std::function<void()> then;

    explicit sleeper(timer_wheel& wheel)
        : timer(wheel, *this, timer_wheel::calls<&sleeper::on_time>{}) {}

    void set(std::chrono::milliseconds in) {
        due = steady::now() + in;
        timer.set(due);
    }

    void on_time() {
        called = steady::now();
        if (then) {
            then();
        }
    }
};

/// Until no deadline is left.
void run_all(timer_wheel& wheel) {
    while (wheel.until_next() >= 0ms) {
        ::poll(nullptr, 0, static_cast<int>(wheel.until_next().count()));
        wheel.run_due();
    }
}

void put(read_buffer& to, std::string_view bytes) {
    REQUIRE(to.tail().size() >= bytes.size());
    std::memcpy(to.tail().data(), bytes.data(), bytes.size());
    to.added(bytes.size());
}

/// The body as it comes out when its bytes arrive in pieces of this size.
result<std::string> decoded(std::string_view wire, std::size_t step) {
    block_pool pool;
    read_buffer buffer(pool, 64);
    body_reader body(http::framing::chunked, 0);
    std::string out;
    for (std::size_t at = 0; at < wire.size(); at += step) {
        buffer.make_room();
        put(buffer, wire.substr(at, step));
        const auto piece = body.take(buffer);
        if (!piece) {
            return fail(piece);
        }
        out += piece->data;
        if (piece->finished) {
            out += "|" + std::string(buffer.unread());
        }
    }
    return out;
}

} // namespace

TEST_CASE("a deadline is noticed when it passed, never before", "[gateway]") {
    timer_wheel wheel;
    std::vector<std::unique_ptr<sleeper>> all;
    for (const auto in : {0ms, 5ms, 10ms, 40ms, 41ms, 90ms}) {
        all.push_back(std::make_unique<sleeper>(wheel));
        all.back()->set(in);
    }
    run_all(wheel);
    for (const auto& each : all) {
        REQUIRE(each->called != steady::time_point{});
        CHECK(each->called >= each->due);
        CHECK_FALSE(each->timer.is_set());
    }
}

TEST_CASE("a deadline may be moved and cleared, and entries may go while others are run",
          "[gateway]") {
    timer_wheel wheel;
    sleeper later(wheel);
    sleeper sooner(wheel);
    sleeper never(wheel);
    auto gone = std::make_unique<sleeper>(wheel);
    sleeper last(wheel);
    later.set(10ms);
    later.set(60ms);
    sooner.set(10min); // beyond the wheel's horizon
    sooner.set(20ms);
    never.set(10ms);
    never.timer.clear();
    gone->set(20ms);
    sooner.then = [&] {
        gone.reset();
    };
    later.then = [&] {
        last.set(20ms);
    };
    run_all(wheel);
    CHECK(later.called >= later.due);
    CHECK(sooner.called < later.called);
    CHECK(never.called == steady::time_point{});
    CHECK(last.called >= last.due);
}

TEST_CASE("a buffer keeps what is unread when it grows and shrinks", "[gateway]") {
    block_pool pool;
    read_buffer buffer(pool, 8);
    put(buffer, "12345678");
    buffer.used(2);
    CHECK(buffer.tail().empty());
    buffer.grow();
    CHECK(buffer.unread() == "345678");
    put(buffer, std::string(1'000, 'x'));
    buffer.shrink(); // does not fit
    CHECK(buffer.is_large());
    buffer.used(1'000);
    buffer.shrink();
    CHECK_FALSE(buffer.is_large());
    CHECK(buffer.unread() == "xxxxxx");
}

TEST_CASE("chunks come out as one piece, however they arrive", "[gateway]") {
    const std::string wire = "3\r\nabc\r\n1;x=y\r\nd\r\n5\r\nefghi\r\n0\r\nA: b\r\n\r\nNEXT";
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        INFO(step);
        const auto whole = decoded(wire, step);
        REQUIRE(whole);
        CHECK(whole->starts_with("abcdefghi|"));
    }
    CHECK(decoded(wire, wire.size()) == "abcdefghi|NEXT");
    CHECK_FALSE(decoded("3\r\nabcX\r\n", 64));
}

TEST_CASE("fields are classified by name, whatever their case", "[gateway]") {
    CHECK(classify("TE") == field_class::hop_by_hop);
    CHECK(classify("te") == field_class::hop_by_hop);
    CHECK(classify("tf") == field_class::end_to_end);
    CHECK(classify("Connection") == field_class::connection);
    CHECK(classify("x-forwarded-FOR") == field_class::ours);
    CHECK(classify("X-Relais-Anything-That-Is-Long") == field_class::ours);
    CHECK(classify("X-Relais-") == field_class::end_to_end);
    CHECK(classify("Proxy-Authorization") == field_class::hop_by_hop);
    CHECK(classify("Content-Type") == field_class::end_to_end);
    CHECK(classify("") == field_class::end_to_end);
    CHECK(classify(std::string(200, 'x')) == field_class::end_to_end);
    CHECK(classify("x-request-id") == field_class::request_id);
}

TEST_CASE("a loop's processor time is on the page, also after its end", "[gateway]") {
    const system_clock time;
    metrics::registry registry;
    edge_loop loop(time);
    loop_metrics shown(registry);
    shown.add(loop);
    CHECK_THAT(registry.serialize(),
               ContainsSubstring("\ngateway_loop_cpu_seconds_total{loop=\"0\"} 0\n"));
    loop.start();
    std::atomic<bool> done{false};
    loop.post([&] {
        while (loop.cpu_time() < std::chrono::milliseconds(2)) {}
        done = true;
        done.notify_all();
    });
    done.wait(false);
    CHECK(loop.cpu_time() >= std::chrono::milliseconds(2));
    loop.stop();
    CHECK(loop.cpu_time() >= std::chrono::milliseconds(2));
}
