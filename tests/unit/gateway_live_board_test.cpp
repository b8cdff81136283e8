#include "gateway/live/live_board.hpp"
#include "support/access_records.hpp"
#include "support/await_on.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using test::finished_request;

namespace {

loop_view view_with(std::size_t connections, std::uint64_t bytes, std::uint64_t size) {
    loop_view made;
    made.connections = connections;
    upload_view one;
    one.bytes = bytes;
    one.size = size;
    one.bytes_per_second = 100;
    made.sums.add(one);
    made.uploads.push_back(one);
    return made;
}

} // namespace

TEST_CASE("how fast a body goes is measured between looks", "[gateway]") {
    using point = transfer_pace::time_point;
    transfer_pace pace;
    pace.begin(point(0s));
    CHECK(pace.look(0, point(100ms)) == 0);
    CHECK(pace.look(1'000, point(1s)) == 1'000);
    CHECK(pace.look(1'500, point(1100ms)) == 1'000); // too soon
    const auto slower = pace.look(1'000, point(2s));
    CHECK(slower < 1'000);
    CHECK(slower > 0);
}

TEST_CASE("when an upload will be done", "[gateway]") {
    upload_view one;
    CHECK_FALSE(one.time_left()); // nobody knows its size
    one.size = 1'000;
    CHECK_FALSE(one.time_left()); // it stands still
    one.bytes_per_second = 100;
    CHECK(*one.time_left() == 10s);
    one.bytes = 950;
    CHECK(*one.time_left() == 1s);
    one.bytes = 1'000;
    one.bytes_per_second = 0;
    CHECK(*one.time_left() == 0s); // only its answer is missing
}

TEST_CASE("what the loops say is put together", "[gateway]") {
    boost::asio::io_context control(1);
    access_names names;
    metrics::registry registry;
    request_metrics figures(2, names, registry);
    int asked = 0;
    live_board board(
        2,
        [&](std::size_t loop, live_board::answer answer) {
            ++asked;
            boost::asio::post(control, [loop, answer] {
                answer(view_with(loop + 1, 500, loop == 0 ? 1'000 : 10'500));
            });
        },
        figures, control);
    auto record = finished_request(names);
    figures.loop(0).observe(record);
    record.status = 503;
    figures.loop(1).observe(record);
    test::await_on(control, board.refresh());
    test::await_on(control, board.refresh()); // at once: it is fresh
    CHECK(asked == 2);
    CHECK(board.loops()[1].connections == 2);
    const auto sums = board.uploads();
    CHECK(sums.count == 2);
    CHECK(sums.bytes_left == 10'500);
    CHECK(sums.longest == 100s);
    const auto routes = board.routes();
    REQUIRE(routes.size() == 1);
    CHECK(routes.begin()->second.totals.requests == 2);
    CHECK(routes.begin()->second.totals.failures == 1);
    CHECK(quantile(routes.begin()->second.totals, 0.5) == 25ms);
}

TEST_CASE("a loop that does not answer keeps nobody waiting", "[gateway]") {
    boost::asio::io_context control(1);
    access_names names;
    metrics::registry registry;
    request_metrics figures(2, names, registry);
    live_board board(
        2,
        [](std::size_t loop, const live_board::answer& answer) {
            if (loop == 0) {
                answer(view_with(7, 0, 1));
            }
        },
        figures, control);
    const auto began = std::chrono::steady_clock::now();
    test::await_on(control, board.refresh());
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    CHECK(board.loops()[0].connections == 7);
    CHECK(board.loops()[1].connections == 0);
}
