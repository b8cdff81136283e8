#include "gateway/loop/turn_end.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <memory>
#include <string>

using namespace relais::gateway;

namespace {

struct worker {
    turn_end::entry work;
    std::function<void()> then;

    worker(turn_end& turn, std::function<void()> what)
        : work(turn, *this, turn_end::calls<&worker::run>{}), then(std::move(what)) {}

    void run() {
        then();
    }
};

} // namespace

TEST_CASE("work at the end of a turn is run once, in order", "[gateway]") {
    turn_end turn;
    std::string order;
    worker first(turn, [&] { order += "a"; });
    worker second(turn, [&] { order += "b"; });
    second.work.set();
    first.work.set();
    second.work.set();
    CHECK(turn.has_work());
    CHECK(order.empty());
    turn.run();
    CHECK(order == "ba");
    CHECK_FALSE(turn.has_work());
    turn.run();
    CHECK(order == "ba");
}

TEST_CASE("work may be set again, and entries may go while others are run", "[gateway]") {
    turn_end turn;
    int runs = 0;
    int others = 0;
    std::unique_ptr<worker> gone;
    worker again(turn, [] {});
    again.then = [&] {
        gone.reset();
        if (++runs < 3) {
            again.work.set();
        }
    };
    gone = std::make_unique<worker>(turn, [&] { ++others; });
    auto never = std::make_unique<worker>(turn, [&] { ++others; });
    again.work.set();
    gone->work.set();
    never->work.set();
    never.reset();
    int turns = 0;
    for (; turn.has_work(); ++turns) {
        turn.run();
    }
    CHECK(turns == 3);
    CHECK(runs == 3);
    CHECK(others == 0);
}
