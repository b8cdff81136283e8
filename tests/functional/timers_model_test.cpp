// Random operations on timers in simulated time, against a model: never early, never twice for a
// due time, none lost, whatever is set, moved, cancelled, claimed and dropped, and however clocks
// are set.
#include "support/timers_rig.hpp"
#include "timers/cron.hpp"
#include "timers/firing.hpp"

#include <catch2/catch_get_random_seed.hpp>

#include <map>
#include <random>
#include <set>

using namespace relais;
using namespace std::chrono_literals;
using timers::catch_up;
using timers::fired;

namespace {

constexpr int operations = 4'000;
const timers::policy failures{.curve = timers::curve::constant, .first = 1min, .attempts_max = 4};

struct expected {
    timestamp due{};
    std::string payload;
    std::optional<timestamp> expires;
};

struct world : test::timers_rig {
    explicit world(std::uint64_t seed) : random(seed) {
        transact([](pg::transaction& tx) -> result<void> {
            tx.exec("select set_config('synchronous_commit', 'off', false)");
            return {};
        });
        for (const auto how : {catch_up::skip, catch_up::once, catch_up::all}) {
            const std::string id(timers::to_string(how));
            const auto set = transact([&](pg::transaction& tx) {
                return timers::schedule_cron(tx,
                                             {.id = id,
                                              .kind = "k",
                                              .expression = "*/7 * * * *",
                                              .time_zone = "Europe/Brussels",
                                              .catch_up = how},
                                             now);
            });
            next_of[id] = set.value();
        }
    }

    int below(int end) {
        return std::uniform_int_distribution<int>(0, end - 1)(random);
    }

    std::string some_id() {
        return "t" + std::to_string(below(25));
    }

    void set() {
        const auto id = some_id();
        expected value{now + std::chrono::seconds(below(3'600) - 600),
                       std::to_string(below(1 << 30)), std::nullopt};
        if (below(8) == 0) {
            value.expires = value.due + 5min;
        }
        schedule({.id = id,
                  .kind = "k",
                  .due_at = value.due,
                  .payload = value.payload,
                  .priority = below(3),
                  .expires_at = value.expires});
        model[id] = value;
        given_up.erase(id);
    }

    void cancel() {
        const auto id = some_id();
        const auto was =
            transact([&](pg::transaction& tx) -> result<bool> { return timers::cancel(tx, id); });
        CHECK(was.value() == (model.erase(id) + given_up.erase(id) > 0));
    }

    void move() {
        const auto id = some_id();
        const auto due = now + std::chrono::seconds(below(3'600) - 600);
        const auto was = transact(
            [&](pg::transaction& tx) -> result<bool> { return timers::reschedule(tx, id, due); });
        const auto found = model.find(id);
        CHECK(was.value() == (found != model.end()));
        if (found != model.end()) {
            found->second.due = due;
        }
    }

    void claim() {
        auto& held = claims[static_cast<std::size_t>(below(2))];
        const auto got =
            transact([&](pg::transaction& tx) -> result<std::vector<timers::claimed_timer>> {
                timers::shorten_waits(tx, now);
                for (const auto& lane : timers::find_lanes(tx, {"k"})) {
                    if (lane.next <= now) {
                        return timers::claim(tx, lane, 3, now);
                    }
                }
                return {};
            });
        held.insert(held.end(), got->begin(), got->end());
    }

    void fire_one() {
        auto& held = claims[static_cast<std::size_t>(below(2))];
        if (held.empty()) {
            return;
        }
        const auto at = held.begin() + below(static_cast<int>(held.size()));
        const auto claimed = *at;
        held.erase(at);
        fire(claimed, below(5) == 0);
    }

    void fire(const timers::claimed_timer& claimed, bool fails) {
        std::optional<timers::timer> seen;
        const auto effect = [&](pg::transaction&, const timers::timer& due,
                                timestamp) -> result<void> {
            seen = due;
            return fails ? fail(error_kind::unavailable, "not-now") : result<void>();
        };
        const auto done = transact(
            [&](pg::transaction& tx) { return timers::fire(tx, claimed, effect, failures, now); });
        if (!done) {
            const auto ended = transact([&](pg::transaction& tx) -> result<bool> {
                return timers::settle(tx, claimed, failures, done.error(), now, 0);
            });
            if (ended.value()) {
                end_of(claimed);
            }
        } else if (*done == fired::yes) {
            note(*seen);
        } else if (*done == fired::expired || *done == fired::crashed) {
            end_of(claimed);
        }
    }

    void note(const timers::timer& seen) {
        REQUIRE(now >= seen.due_at);
        if (const auto next = next_of.find(seen.id); next != next_of.end()) {
            REQUIRE(seen.due_at >= next->second);
            REQUIRE((seen.id != "all" || seen.due_at == next->second));
            next->second = seven.next_after(seen.due_at);
            ++firings;
            return;
        }
        const auto found = model.find(seen.id);
        REQUIRE(found != model.end());
        REQUIRE(found->second.due == seen.due_at);
        REQUIRE(found->second.payload == seen.payload);
        REQUIRE((!found->second.expires || now <= *found->second.expires));
        model.erase(found);
        ++firings;
    }

    void end_of(const timers::claimed_timer& claimed) {
        const auto& id = claimed.what.id;
        if (const auto next = next_of.find(id); next != next_of.end()) {
            next->second = seven.next_after(next->second);
            return;
        }
        REQUIRE(model.erase(id) == 1);
        given_up.insert(id);
    }

    /// A process ends, or sleeps for so long that others took over.
    void crash() {
        claims[static_cast<std::size_t>(below(2))].clear();
    }

    void step() {
        const int what = below(100);
        if (what < 15) {
            set();
        } else if (what < 19) {
            cancel();
        } else if (what < 24) {
            move();
        } else if (what < 52) {
            claim();
        } else if (what < 84) {
            fire_one();
        } else if (what < 86) {
            crash();
        } else if (what < 98) {
            now += std::chrono::seconds(below(200));
        } else {
            now += std::chrono::minutes(below(121) - 60); // somebody sets the clock
        }
    }

    /// Whoever is left gets its turn.
    void drain() {
        for (auto& held : claims) {
            held.clear();
        }
        for (int rounds = 0; !model.empty() && rounds < 1'000; ++rounds) {
            now += 2min;
            claim();
            for (auto& held : claims) {
                for (const auto& each : std::exchange(held, {})) {
                    fire(each, false);
                }
            }
        }
    }

    std::mt19937_64 random;
    timestamp now = std::chrono::sys_days(std::chrono::year(2026) / 10 / 24) + 22h;
    timers::cron seven = timers::cron::parse("*/7 * * * *", "Europe/Brussels").value();
    std::map<std::string, expected> model;
    std::set<std::string> given_up;
    std::map<std::string, timestamp> next_of; ///< of cron timers: nothing earlier may fire any more
    std::array<std::vector<timers::claimed_timer>, 2> claims; ///< of two processes
    int firings = 0;
};

} // namespace

TEST_CASE("random operations: never early, never twice, none lost", "[timers]") {
    const auto seed = Catch::getSeed();
    INFO("seed " << seed);
    world on(seed);
    for (int i = 0; i < operations; ++i) {
        on.step();
    }
    on.drain();
    CHECK(on.model.empty());
    CHECK(on.firings > operations / 40);
    CHECK(on.database.value(
              "select count(*) from timer where failed_at is not null and id like 't%'") ==
          std::to_string(on.given_up.size()));
    CHECK(
        on.database.query("select 1 from timer where failed_at is null and cron is null").empty());
}
