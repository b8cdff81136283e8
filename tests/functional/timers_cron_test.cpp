// What one firing does, at times that the test says: cron timers and deadlines.
#include "clock/rfc3339.hpp"
#include "support/timers_rig.hpp"
#include "timers/firing.hpp"
#include "timers/inspect.hpp"

using namespace relais;
using namespace std::chrono_literals;
using timers::catch_up;
using timers::fired;

namespace {

timestamp at(const std::string& text) {
    return parse_rfc3339("2026-11-" + text + ":00Z").value();
}

/// Claims and fires on one connection, as the runner does, at any time of day.
struct rig : test::timers_rig {
    std::vector<std::string> effects; ///< the due times that the handler saw
    result<void> answer;

    timestamp set(const std::string& expression, catch_up how, timestamp now,
                  const std::string& zone = "UTC") {
        const auto next = transact([&](pg::transaction& tx) {
            return timers::schedule_cron(tx,
                                         {.id = "c",
                                          .kind = "k",
                                          .expression = expression,
                                          .time_zone = zone,
                                          .catch_up = how,
                                          .payload = "p"},
                                         now);
        });
        REQUIRE(next);
        return *next;
    }

    std::vector<timers::claimed_timer> claim(timestamp now) {
        return transact([&](pg::transaction& tx) -> result<std::vector<timers::claimed_timer>> {
                   std::vector<timers::claimed_timer> all;
                   for (const auto& lane : timers::find_lanes(tx, {"k"})) {
                       for (auto& each : timers::claim(tx, lane, 16, now)) {
                           all.push_back(std::move(each));
                       }
                   }
                   return all;
               })
            .value();
    }

    result<fired> fire(const timers::claimed_timer& claimed, timestamp now,
                       const timers::policy& failures = {}) {
        const auto effect = [&](pg::transaction&, const timers::timer& due, timestamp) {
            if (answer) {
                effects.push_back(to_rfc3339(due.due_at).substr(8, 8));
            }
            return answer;
        };
        const auto done = transact(
            [&](pg::transaction& tx) { return timers::fire(tx, claimed, effect, failures, now); });
        if (!done) {
            REQUIRE(transact([&](pg::transaction& tx) -> result<bool> {
                return timers::settle(tx, claimed, failures, done.error(), now, 0);
            }));
        }
        return done;
    }

    /// All that is due then.
    std::vector<fired> run(timestamp now, const timers::policy& failures = {}) {
        std::vector<fired> outcomes;
        while (true) {
            const auto claimed = claim(now);
            for (const auto& each : claimed) {
                const auto done = fire(each, now, failures);
                if (done) {
                    outcomes.push_back(*done);
                }
            }
            if (claimed.empty()) {
                return outcomes;
            }
        }
    }
};

} // namespace

TEST_CASE("a cron timer fires for each due time, and goes on", "[timers]") {
    rig on;
    CHECK(on.set("0 3 * * *", catch_up::once, at("20T12:00"), "Europe/Brussels") == at("21T02:00"));
    CHECK(on.run(at("21T01:59")).empty());
    CHECK(on.run(at("21T02:00")) == std::vector{fired::yes});
    CHECK(on.run(at("21T02:00")).empty());
    CHECK(on.run(at("22T02:01")) == std::vector{fired::yes});
    CHECK(on.effects == std::vector<std::string>{"21T02:00", "22T02:00"});
}

TEST_CASE("due times that were missed: skip, once, all", "[timers]") {
    rig on;
    SECTION("skip fires for none of them, and not for a late one") {
        on.set("0 * * * *", catch_up::skip, at("20T11:30"));
        CHECK(on.run(at("20T15:30")) == std::vector{fired::skipped});
        CHECK(on.effects.empty());
        CHECK(on.run(at("20T16:01")) == std::vector{fired::yes}); // within a minute
        CHECK(on.effects == std::vector<std::string>{"20T16:00"});
    }
    SECTION("once fires for the latest") {
        on.set("0 * * * *", catch_up::once, at("20T11:30"));
        CHECK(on.run(at("20T15:30")) == std::vector{fired::yes});
        CHECK(on.effects == std::vector<std::string>{"20T15:00"});
    }
    SECTION("all fires for each, in order") {
        on.set("0 * * * *", catch_up::all, at("20T11:30"));
        CHECK(on.run(at("20T15:30")).size() == 4);
        CHECK(on.effects ==
              std::vector<std::string>{"20T12:00", "20T13:00", "20T14:00", "20T15:00"});
    }
    CHECK(on.run(at("20T15:45")).empty());
}

TEST_CASE("setting the same cron timer at each start leaves its next due time alone", "[timers]") {
    rig on;
    on.set("0 * * * *", catch_up::all, at("20T11:30"));
    CHECK(on.set("0 * * * *", catch_up::once, at("20T14:30")) == at("20T12:00"));
    CHECK(on.database.value("select catch_up from timer") == "once");
    CHECK(on.set("30 * * * *", catch_up::once, at("20T14:15")) == at("20T14:30"));
    CHECK(on.set("30 * * * *", catch_up::once, at("20T18:15"), "Asia/Kathmandu") == at("20T18:45"));
    CHECK(on.database.value("select count(*) from timer") == "1");
}

TEST_CASE("a cron expression or zone that cannot be read is refused, nothing is set", "[timers]") {
    rig on;
    const auto refused = [&](timers::cron_timer value) {
        value.kind = "k";
        return on
            .transact([&](pg::transaction& tx) {
                return timers::schedule_cron(tx, value, at("20T12:00"));
            })
            .error()
            .slug;
    };
    CHECK(refused({.id = "c", .expression = "0 25 * * *", .time_zone = "UTC"}) ==
          "cron-expression");
    CHECK(refused({.id = "c", .expression = "@daily", .time_zone = "Mars/Phobos"}) == "time-zone");
    CHECK(refused({.id = std::string(201, 'x'), .expression = "@daily", .time_zone = "UTC"}) ==
          "timer-id");
    CHECK(on.database.query("select 1 from timer").empty());
}

TEST_CASE("a clock that is set back or forward fires no due time twice", "[timers]") {
    for (const auto how : {catch_up::skip, catch_up::once, catch_up::all}) {
        CAPTURE(timers::to_string(how));
        rig on;
        on.set("0 * * * *", how, at("20T11:30"));
        on.run(at("20T12:00"));
        on.run(at("20T11:00")); // back
        on.run(at("20T12:00"));
        CHECK(on.effects == std::vector<std::string>{"20T12:00"});
        on.run(at("20T13:00"));
        on.run(at("20T14:00")); // forward, and back again
        on.run(at("20T13:00"));
        on.run(at("20T14:00"));
        on.run(at("20T15:00"));
        CHECK(on.effects ==
              std::vector<std::string>{"20T12:00", "20T13:00", "20T14:00", "20T15:00"});
    }
}

TEST_CASE("a clock that is set back between claim and firing: not early", "[timers]") {
    rig on;
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00")});
    const auto claimed = on.claim(at("20T12:00"));
    REQUIRE(claimed.size() == 1);
    CHECK(on.fire(claimed[0], at("20T11:00")) == fired::early);
    CHECK(on.effects.empty());
    CHECK(on.run(at("20T12:00")) == std::vector{fired::yes});
    CHECK(on.fire(claimed[0], at("20T12:00")) == fired::gone);
    CHECK(on.effects.size() == 1);
}

TEST_CASE("what a stale claim fires is what the timer says now", "[timers]") {
    rig on;
    std::string seen;
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00"), .payload = "old"});
    const auto stale = on.claim(at("20T12:00"));
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00"), .payload = "new"});
    const auto fresh = on.claim(at("20T12:00"));
    REQUIRE(fresh.size() == 1);
    for (const auto& each : {stale[0], fresh[0]}) {
        const auto effect = [&](pg::transaction&, const timers::timer& due,
                                timestamp) -> result<void> {
            seen += due.payload;
            return {};
        };
        REQUIRE(on.transact([&](pg::transaction& tx) {
            return timers::fire(tx, each, effect, {}, at("20T12:00"));
        }));
    }
    CHECK(seen == "new");
}

TEST_CASE("a deadline that passed gives up, and a retry that would come too late", "[timers]") {
    rig on;
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00"), .expires_at = at("20T12:30")});
    CHECK(on.run(at("20T12:31")) == std::vector{fired::expired});
    CHECK(on.effects.empty());
    CHECK(on.database.value("select last_error from timer where failed_at is not null") ==
          "expired: its deadline passed at 2026-11-20T12:30:00.000000Z");
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00"), .expires_at = at("20T12:30")});
    on.answer = fail(error_kind::unavailable, "not-now");
    const timers::policy hourly{.curve = timers::curve::constant, .first = 1h, .longest = 1h};
    CHECK(on.run(at("20T12:10"), hourly).empty());
    CHECK(on.database.value("select last_error from timer where failed_at is not null") ==
          "not-now");
    // A person may try it again, deadline or not.
    on.answer = {};
    REQUIRE(on.transact([](pg::transaction& tx) { return timers::retry(tx, "a"); }));
    CHECK(on.run(at("20T13:00")) == std::vector{fired::yes});
}

TEST_CASE("a firing of a cron timer that is given up stays, the schedule goes on", "[timers]") {
    rig on;
    on.set("0 * * * *", catch_up::all, at("20T11:30"));
    on.answer = fail(error_kind::invalid, "no-way", "never");
    on.run(at("20T12:00"));
    on.answer = {};
    CHECK(on.run(at("20T13:00")) == std::vector{fired::yes});
    CHECK(on.effects == std::vector<std::string>{"20T13:00"});
    const std::string id = "c@2026-11-20T12:00:00.000000Z";
    CHECK(on.database.value("select id from timer where failed_at is not null") == id);
    REQUIRE(on.transact([&](pg::transaction& tx) { return timers::retry(tx, id); }));
    CHECK(on.run(at("20T13:30")) == std::vector{fired::yes});
    CHECK(on.effects.back() == "20T12:00");
    CHECK(on.database.value("select string_agg(id, ' ') from timer") == "c");
}

TEST_CASE("attempts that ended the process are counted, and end", "[timers]") {
    rig on;
    on.schedule({.id = "a", .kind = "k", .due_at = at("20T12:00")});
    const timers::policy three{.attempts_max = 3};
    auto now = at("20T12:00");
    for (int crash = 0; crash < 3; ++crash) {
        const auto claimed = on.claim(now);
        REQUIRE(claimed.size() == 1);
        CHECK(claimed[0].attempt == crash + 1);
        CHECK(on.claim(now).empty());
        now += 2min; // claims have run out
    }
    CHECK(on.run(now, three) == std::vector{fired::crashed});
    CHECK(on.effects.empty());
    CHECK(on.database.value("select last_error from timer where failed_at is not null") ==
          "crashed: the process ended during the last of 3 attempts");
}
