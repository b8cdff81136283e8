// Relays that are killed: each is a process of its own, this binary running the hidden test case
// below.
#include "functional/outbox_process.hpp"

#include <catch2/catch_get_random_seed.hpp>

#include <csignal>
#include <random>
using namespace relais;
using namespace std::chrono_literals;
using test::outbox_rig;
using test::slot_taken;
using test::start_relay;

namespace {

bool published_everything(outbox_rig& on, std::size_t wanted) {
    return test::deduplicated(on.read_all())["k"].size() >= wanted;
}

} // namespace

TEST_CASE("runs a relay until it is killed", "[.][relay-process]") {
    boost::asio::io_context loop(1);
    test::relay_instance relay(
        test::variable(test::url_variable), test::variable(test::prefix_variable), loop,
        test::kafka_topics::brokers(),
        {.mode = test::variable(test::mode_variable) == "polling" ? outbox::relay_mode::polling
                                                                  : outbox::relay_mode::logical});
    relay.start();
    loop.run();
}

TEST_CASE("relays killed at any moment: nothing lost, nothing twice, in order", "[outbox][crash]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    const auto seed = Catch::getSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    int written = 0;
    const auto write_some = [&] {
        const int more = 1 + static_cast<int>(random() % 200);
        on.insert("k", written + 1, written + more);
        written += more;
    };
    for (int life = 0; life < 6; ++life) {
        auto relay = start_relay(on, on.mode);
        write_some();
        on.wait_until([&] { return slot_taken(on); });
        // Killed somewhere between nothing and everything read, sent, delivered, confirmed.
        const auto end =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 400);
        do {
            write_some();
        } while (std::chrono::steady_clock::now() < end);
        relay.kill();
        write_some();
    }
    auto last = start_relay(on, on.mode);
    on.wait_until([&] { return published_everything(on, static_cast<std::size_t>(written)); }, 60s);
    last.kill();
    const auto read = on.read_all();
    CHECK(test::deduplicated(read).at("k") == test::numbers(1, written));
    // Whatever was sent twice was sent with the same position.
    std::map<std::string, std::tuple<std::uint64_t, std::string, std::uint64_t>> position_of;
    for (const auto& record : read) {
        const auto known = position_of.emplace(*record.value, test::position(record)).first;
        // Not inside CHECK: libstdc++ 14 takes its expressions for tuples.
        const bool same_position = known->second == test::position(record);
        CHECK(same_position);
    }
}

TEST_CASE("a frozen relay loses the slot, and does no harm when it wakes", "[outbox][crash]") {
    outbox_rig on(GENERATE(test::both_modes()));
    CAPTURE(on.mode == outbox::relay_mode::polling);
    auto frozen = start_relay(on, on.mode);
    on.insert("k", 1, 50);
    on.wait_until([&] { return published_everything(on, 50); }, 30s);
    frozen.send(SIGSTOP);
    on.insert("k", 51, 100);
    auto successor = on.make_relay();
    successor.start();
    // wal_sender_timeout (10 s) takes the slot from the frozen one.
    on.wait_until([&] { return successor.published() >= 50; }, 30s);
    frozen.send(SIGCONT);
    on.insert("k", 101, 150);
    on.wait_until([&] { return published_everything(on, 150); }, 30s);
    on.stop(successor);
    frozen.kill();
    CHECK(test::deduplicated(on.read_all()).at("k") == test::numbers(1, 150));
}
