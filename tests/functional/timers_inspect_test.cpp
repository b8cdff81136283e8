#include "clock/rfc3339.hpp"
#include "support/timers_rig.hpp"
#include "timers/inspect.hpp"

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("moving, running now, looking at timers", "[timers]") {
    test::timers_rig on;
    const auto now = parse_rfc3339("2026-11-20T12:00:00Z").value();
    on.schedule({.id = "a", .kind = "k", .due_at = now + 1h, .priority = 3});
    on.schedule({.id = "b", .kind = "k", .due_at = now + 2h});
    on.schedule({.id = "bad", .kind = "other", .due_at = now - 1h});
    on.database.query("update timer set failed_at = now(), last_error = 'e' where id = 'bad'");
    const auto in = [&](auto work) {
        return on.transact(work);
    };
    const timers::cron_timer monthly{
        .id = "c", .kind = "k", .expression = "@monthly", .time_zone = "UTC"};
    REQUIRE(in([&](pg::transaction& tx) { return timers::schedule_cron(tx, monthly, now); }));

    const auto listed = in([](pg::transaction& tx) -> result<std::vector<timers::timer_row>> {
        return timers::list_timers(tx, {.limit = 2});
    });
    REQUIRE(listed->size() == 2);
    CHECK(listed->at(0).what.id == "a");
    CHECK(listed->at(1).what.id == "b");
    const auto failed = in([](pg::transaction& tx) -> result<std::vector<timers::timer_row>> {
        return timers::list_timers(tx, {.failed_only = true});
    });
    REQUIRE(failed->size() == 1);
    CHECK(failed->at(0).last_error == "e");
    const auto counts = in([&](pg::transaction& tx) -> result<std::vector<timers::kind_count>> {
        return timers::count_timers(tx, now + 90min);
    });
    REQUIRE(counts->size() == 2);
    CHECK(counts->at(0).pending == 3);
    CHECK(counts->at(0).due == 1);
    CHECK(counts->at(0).oldest_due == now + 1h);
    CHECK(counts->at(1).failed == 1);

    const auto moved = in([&](pg::transaction& tx) -> result<bool> {
        return timers::reschedule(tx, "b", now + 30min) && !timers::reschedule(tx, "bad", now) &&
               !timers::reschedule(tx, "none", now);
    });
    CHECK(moved.value());
    const auto slug = [&](const std::string& id, bool retry) {
        const auto done = in([&](pg::transaction& tx) {
            return retry ? timers::retry(tx, id) : timers::run_now(tx, id, now);
        });
        return done ? "" : done.error().slug;
    };
    CHECK(slug("a", true) == "not-given-up");
    CHECK(slug("none", true) == "no-such-timer");
    CHECK(slug("bad", false) == "timer-given-up");
    CHECK(slug("none", false) == "no-such-timer");
    CHECK(slug("c", false).empty());
    CHECK(slug("a", false).empty());
    CHECK(on.database.value("select string_agg(id, ' ' order by id) from timer"
                            " where due_at = '2026-11-20 12:00:00Z'") == "a c");
    // What is due already keeps its time.
    REQUIRE(in([&](pg::transaction& tx) { return timers::run_now(tx, "c", now + 1h); }));
    CHECK(on.database.value("select due_at from timer where id = 'c'") == "2026-11-20 12:00:00+00");
}
