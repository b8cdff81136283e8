// Consumers that are killed, or end themselves: each is a process of its own, this binary running
// the hidden test case below.
#include "support/environment.hpp"
#include "support/inbox_rig.hpp"
#include "support/test_process.hpp"

#include <algorithm>
#include <set>

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* url_variable = "RELAIS_TEST_CRASH_URL";
constexpr const char* prefix_variable = "RELAIS_TEST_CRASH_PREFIX";
constexpr const char* parallel_variable = "RELAIS_TEST_CRASH_PARALLEL_KEYS";

std::unique_ptr<test::test_process> start_process(const test::inbox_rig& on,
                                                  int parallel_keys = 1) {
    return std::make_unique<test::test_process>(
        "[inbox-process]",
        std::map<std::string, std::string>{{url_variable, on.database.url()},
                                           {prefix_variable, on.topics.prefix()},
                                           {parallel_variable, std::to_string(parallel_keys)}});
}

/// Kills a consumer again and again, each with another division of its partitions.
void kill_and_check(test::inbox_rig& on, const std::vector<int>& divisions) {
    for (int i = 0; i < 400; ++i) {
        const bool fails = i % 50 == 49;
        on.publish("job-" + std::to_string(i % 11), fails ? "fail-1" : "n-" + std::to_string(i));
    }
    std::size_t seen = 0;
    for (const int parallel_keys : divisions) {
        const auto process = start_process(on, parallel_keys);
        on.wait_for_effects(std::min<std::size_t>(seen + 40, 400));
        process->kill();
        seen = on.effects().size();
    }
    const auto process = start_process(on);
    on.wait_for_effects(400);
    on.wait_until([&] { return on.count("inbox_slice") == 0; });
    process->kill();
    CHECK(on.count("effect") == 400);
    CHECK(on.database.value("select count(distinct event_id) from effect") == "400");
    CHECK(on.count("inbox_held_key") == 0);
    CHECK(on.database.value("select sum(held_keys) from inbox_watermark") == "0");
    // Of one job in the order of publishing.
    for (int job = 0; job < 11; ++job) {
        std::vector<std::string> expected;
        for (int i = job; i < 400; i += 11) {
            expected.push_back(i % 50 == 49 ? "fail-1" : "n-" + std::to_string(i));
        }
        CHECK(on.effects("job-" + std::to_string(job)) == expected);
    }
}

} // namespace

TEST_CASE("runs a consumer until it is killed", "[.][inbox-process]") {
    boost::asio::io_context loop(1);
    test::inbox_instance instance(test::variable(url_variable), test::variable(prefix_variable),
                                  "one", loop, 7, test::inbox_instance::handlers::one_by_one,
                                  std::stoi(test::variable(parallel_variable)));
    instance.start();
    loop.run();
}

TEST_CASE("a consumer that is killed again and again handles everything once", "[inbox]") {
    test::inbox_rig on;
    kill_and_check(on, {1, 1, 1, 1, 1, 1});
}

TEST_CASE("keys in parallel: killed again and again, divided anew each time", "[inbox]") {
    test::inbox_rig on(1);
    kill_and_check(on, {4, 3, 1, 4, 2, 5});
}

namespace {

/// Starts the consumer again and again until what is behind event "a" took effect.
int starts_until_done(test::inbox_rig& on) {
    int starts = 0;
    auto process = start_process(on);
    on.wait_until(
        [&] {
            if (process->ended()) {
                ++starts;
                process = start_process(on);
            }
            return on.effects("a") == std::vector<std::string>{"next"} &&
                   on.effects("b") == std::vector<std::string>{"other"};
        },
        90s);
    process->kill();
    return starts;
}

} // namespace

TEST_CASE("an event that ends the process every time reaches the dead letters", "[inbox]") {
    test::inbox_rig on(1);
    on.publish("a", "abort");
    on.publish("a", "next");
    on.publish("b", "other");
    const int starts = starts_until_done(on);
    CHECK(on.database.value("select reason from inbox_dead_letter") == "crashed");
    CHECK(starts >= 5); // two before it was handled with care, three counted ones
    CHECK(starts <= 7);
}

TEST_CASE("a handler that never comes back ends the process, and at last in the dead letters",
          "[inbox]") {
    test::inbox_rig on(1);
    on.publish("a", "hang");
    on.publish("a", "next");
    on.publish("b", "other");
    const int starts = starts_until_done(on);
    CHECK(on.database.value("select reason from inbox_dead_letter") == "crashed");
    CHECK(starts >= 5);
    CHECK(starts <= 7);
}
