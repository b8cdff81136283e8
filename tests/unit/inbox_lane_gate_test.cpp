#include "async/task_group.hpp"
#include "inbox/lane_gate.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using events::lane;

TEST_CASE("bulk work leaves threads for default work, and that for interactive work", "[inbox]") {
    struct row {
        std::size_t threads, interactive, normal, bulk;
    };

    for (const auto& each :
         std::vector<row>{{1, 1, 1, 1}, {2, 2, 1, 1}, {4, 4, 3, 1}, {8, 8, 7, 2}}) {
        CHECK(inbox::lane_limits::of(lane::interactive, each.threads) == each.interactive);
        CHECK(inbox::lane_limits::of(lane::normal, each.threads) == each.normal);
        CHECK(inbox::lane_limits::of(lane::bulk, each.threads) == each.bulk);
    }
}

TEST_CASE("a lane that is full waits, and no other does", "[inbox]") {
    boost::asio::io_context loop(1);
    inbox::lane_gate gate(loop, 4);
    async::signal go_on(loop);
    std::vector<std::string> order;
    async::task_group tasks(loop, [](const std::string&, const std::string& what) { FAIL(what); });
    const auto work = [&](std::string name, lane which) -> boost::asio::awaitable<void> {
        const auto turn = co_await gate.enter(which);
        order.push_back(name);
        co_await go_on.wait();
    };
    tasks.spawn("1", work("bulk 1", lane::bulk));
    tasks.spawn("2", work("bulk 2", lane::bulk));
    tasks.spawn("3", work("interactive", lane::interactive));
    loop.poll();
    CHECK(order == std::vector<std::string>{"bulk 1", "interactive"});
    go_on.notify_all();
    loop.poll();
    CHECK(order.back() == "bulk 2");
    CHECK(gate.inside(lane::bulk) == 1);
    CHECK(gate.inside(lane::interactive) == 0);
    tasks.cancel();
    loop.run();
    CHECK(gate.inside(lane::bulk) == 0);
}
