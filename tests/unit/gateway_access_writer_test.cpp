#include "gateway/access/access_writer.hpp"
#include "support/access_records.hpp"
#include "support/await_on.hpp"
#include "support/log_pipe.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <thread>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::finished_request;
using test::parse_line;

namespace {

access_settings without_events(std::size_t ring_records = 8'192) {
    access_settings made;
    made.instance = "gateway-1";
    made.sample_rate = 0;
    made.ring_records = ring_records;
    return made;
}

/// A writer whose lines come out of a pipe.
struct rig {
    test::log_pipe pipe;
    access_names names;
    metrics::registry metrics;
    log::logger logger;
    access_writer writer;
    boost::asio::io_context control{1};

    explicit rig(access_settings settings, std::size_t loops = 1,
                 log::level level = log::level::info, int pipe_bytes = 65'536)
        : pipe(pipe_bytes), logger("gateway", "gateway-1", level, pipe.writing_end()),
          writer(std::move(settings), loops, names, metrics, logger) {}

    void stop(std::chrono::milliseconds at_most) {
        test::await_on(control, writer.stop(at_most));
    }

    /// Request ids of the lines.
    static std::vector<std::string> ids_of(const std::vector<std::string>& lines) {
        std::vector<std::string> ids;
        for (const auto& line : lines) {
            ids.emplace_back(parse_line(line).at("request_id").as_string());
        }
        return ids;
    }

    double dropped(const std::string& cause) {
        const auto page = metrics.serialize();
        const auto name = "gateway_access_dropped_total{cause=\"" + cause + "\"} ";
        const auto at = page.find(name);
        REQUIRE(at != std::string::npos);
        return std::stod(page.substr(at + name.size()));
    }

    template <class Condition>
    static bool wait_until(Condition holds) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!holds() && std::chrono::steady_clock::now() < until) {
            std::this_thread::yield();
        }
        return holds();
    }
};

} // namespace

TEST_CASE("a few requests have their lines soon, without a bell", "[gateway]") {
    rig with(without_events());
    with.writer.start();
    with.writer.ring(0).push(finished_request(with.names, "first"));
    with.writer.ring(0).push(finished_request(with.names, "second"));
    CHECK(rig::ids_of(with.pipe.read_lines(2)) == std::vector<std::string>{"first", "second"});
    with.writer.ring(0).push(finished_request(with.names, "third"));
    CHECK(rig::ids_of(with.pipe.read_lines(1)) == std::vector<std::string>{"third"});
}

TEST_CASE("records of all loops are written before the end", "[gateway]") {
    constexpr std::uint64_t count = 20'000;
    auto settings = without_events();
    settings.backlog_bytes_max = 200'000'000; // a slow reader is another test's
    rig with(settings, 3);
    with.writer.start();
    std::vector<std::string> lines;
    {
        std::vector<std::jthread> loops;
        for (std::size_t loop = 0; loop < 3; ++loop) {
            loops.emplace_back([&, loop] {
                auto record = finished_request(with.names);
                for (std::uint64_t i = 0; i < count; ++i) {
                    record.request_id.assign(std::to_string(i));
                    while (!with.writer.ring(loop).push(record)) {
                        std::this_thread::yield(); // this test is not about drops
                    }
                }
            });
        }
        while (lines.size() < 3 * (count - 5'000)) {
            std::ranges::move(with.pipe.read_lines(1), std::back_inserter(lines));
        }
    }
    std::jthread stopping([&] { with.stop(20s); });
    while (lines.size() < 3 * count) {
        std::ranges::move(with.pipe.read_lines(1), std::back_inserter(lines));
    }
    stopping.join();
    CHECK(lines.size() == 3 * count);
    CHECK(std::ranges::all_of(lines, [](const std::string& line) {
        return line.starts_with(R"({"timestamp")") && line.ends_with('}');
    }));
    CHECK(with.dropped("log") == 0);
    CHECK(with.dropped("stopped") == 0);
}

TEST_CASE("what was pushed before the start is written, too", "[gateway]") {
    rig with(without_events(4));
    for (int i = 0; i < 6; ++i) {
        with.writer.ring(0).push(finished_request(with.names, std::to_string(i)));
    }
    with.writer.start();
    CHECK(rig::ids_of(with.pipe.read_lines(4)) == std::vector<std::string>{"0", "1", "2", "3"});
    with.stop(5s);
    CHECK(with.dropped("ring_full") == 2);
    CHECK(with.writer.ring(0).dropped() == 2);
}

TEST_CASE("the log has all requests, a share, or the failed ones", "[gateway]") {
    auto settings = without_events();
    std::vector<std::string> expected{"good", "slow", "failed", "refused"};
    SECTION("all") {}
    SECTION("those that become events") {
        settings.lines = access_log_lines::sampled;
        expected.erase(expected.begin());
    }
    SECTION("those that failed") {
        settings.lines = access_log_lines::errors;
        expected.erase(expected.begin(), expected.begin() + 2);
    }
    rig with(settings);
    const auto push = [&](const char* id, auto&& change) {
        auto record = finished_request(with.names, id);
        change(record);
        with.writer.ring(0).push(record);
    };
    push("good", [](access_record&) {});
    push("slow", [](access_record& record) { record.total = 2s; });
    push("failed", [](access_record& record) { record.status = 502; });
    push("refused", [](access_record& record) { record.reason = error_reason::no_route; });
    with.writer.start();
    with.stop(5s);
    CHECK(rig::ids_of(with.pipe.read_what_is_there()) == expected);
}

TEST_CASE("a logger that shows warnings only shows no requests", "[gateway]") {
    rig with(without_events(), 1, log::level::warn);
    with.writer.ring(0).push(finished_request(with.names));
    with.writer.start();
    with.stop(5s);
    CHECK(with.pipe.read_what_is_there().empty());
    CHECK(with.writer.ring(0).size() == 0);
    CHECK(with.logger.dropped() == 0);
}

TEST_CASE("a log that nobody reads stops nobody: lines are dropped and counted", "[gateway]") {
    constexpr int count = 5'000;
    auto settings = without_events();
    settings.backlog_bytes_max = 100'000;
    rig with(settings, 1, log::level::info, 4'096);
    with.writer.start();
    const auto record = finished_request(with.names);
    for (int i = 0; i < count; ++i) {
        while (!with.writer.ring(0).push(record)) {
            std::this_thread::yield();
        }
    }
    REQUIRE(rig::wait_until([&] { return with.writer.ring(0).size() == 0; }));
    REQUIRE(rig::wait_until([&] { return with.dropped("log") > 4'000; }));
    CHECK(with.logger.dropped() == static_cast<std::uint64_t>(with.dropped("log")));

    // When it is read again, what waited comes whole, and so does what is new.
    auto lines = with.pipe.read_lines(1);
    with.writer.ring(0).push(finished_request(with.names, "again"));
    while (parse_line(lines.back()).at("request_id") != "again") {
        std::ranges::move(with.pipe.read_lines(1), std::back_inserter(lines));
    }
    CHECK(static_cast<double>(lines.size()) + with.dropped("log") == count + 1);
    with.stop(5s);
}

TEST_CASE("a stop does not wait for a reader that does not read", "[gateway]") {
    rig with(without_events(), 1, log::level::info, 4'096);
    with.writer.start();
    for (int i = 0; i < 200; ++i) {
        with.writer.ring(0).push(finished_request(with.names));
    }
    const auto began = std::chrono::steady_clock::now();
    with.stop(200ms);
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    const auto lines = with.pipe.read_what_is_there();
    CHECK(static_cast<double>(lines.size()) + with.dropped("log") + with.dropped("stopped") == 200);
    CHECK(with.logger.dropped() > 0);
}

TEST_CASE("a writer that was never started, or not stopped, ends all the same", "[gateway]") {
    rig never(without_events());
    never.writer.ring(0).push(finished_request(never.names));
    never.stop(1s);
    rig running(without_events());
    running.writer.start();
    running.writer.ring(0).push(finished_request(running.names));
}

TEST_CASE("without a broker lines are written and events dropped", "[gateway]") {
    auto settings = without_events();
    settings.kafka_brokers = "127.0.0.1:1";
    settings.sample_rate = 1;
    settings.events_in_flight_max = 10;
    settings.events_per_second_max = 30;
    rig with(settings, 1, log::level::error); // librdkafka's own warnings are not at issue
    with.writer.start();
    for (int i = 0; i < 50; ++i) {
        with.writer.ring(0).push(finished_request(with.names));
    }
    REQUIRE(rig::wait_until([&] { return with.dropped("broker") + with.dropped("budget") >= 40; }));
    CHECK(with.dropped("broker") >= 20);
    with.stop(100ms);
    CHECK(with.dropped("broker") + with.dropped("budget") == 50);
}
