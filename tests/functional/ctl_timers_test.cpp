#include "support/relaisctl.hpp"
#include "support/timers_rig.hpp"

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("timers are listed, moved, cancelled, retried by hand; a dry run changes nothing",
          "[ctl][timers]") {
    test::timers_rig on;
    const auto ctl = [&](const std::string& words) {
        return test::relaisctl(on.database, "timers " + words + " --service upload");
    };
    const auto value = [&](const std::string& sql) {
        return on.database.value(sql);
    };
    on.schedule({.id = "a", .kind = "k", .due_at = on.time.now() + 1h, .payload = "p"});
    on.schedule({.id = "bad", .kind = "k", .due_at = on.time.now() - 1h});
    on.database.query("update timer set failed_at = now(), last_error = 'e: why', attempts = 25"
                      " where id = 'bad'");
    REQUIRE(on.transact([&](pg::transaction& tx) {
        return timers::schedule_cron(
            tx, {.id = "c", .kind = "nightly", .expression = "0 3 * * *", .time_zone = "UTC"},
            on.time.now());
    }));

    const auto listed = ctl("list");
    CHECK(listed.has("upload  k  a  due "));
    CHECK(listed.has(R"("0 3 * * *" UTC once)"));
    CHECK_FALSE(listed.has("bad"));
    CHECK(ctl("list --kind nightly --json")
              .text.starts_with(R"({"timers":[{"service":"upload",)"
                                R"("id":"c","kind":"nightly")"));
    CHECK(ctl("list --failed").has("25 attempts  given up "));
    CHECK(ctl("kinds").has("upload  k  1 pending, 0 due, 1 given up"));
    CHECK(ctl("show bad").has(R"("last_error":"e: why")"));

    CHECK(ctl("cancel a").text.starts_with("would cancel: upload  k  a  due "));
    CHECK(ctl("reschedule a --at 2030-01-01T00:00:00Z").has("say --yes to do it"));
    CHECK(value("select count(*) from timer where id = 'a' and due_at < now() + interval '2 h'") ==
          "1");
    CHECK(ctl("reschedule a --at 2030-01-01T00:00:00Z --yes").code == 0);
    CHECK(value("select due_at from timer where id = 'a'") == "2030-01-01 00:00:00+00");
    CHECK(ctl("run-now a --yes").text.starts_with("run-now: upload  k  a  due 2030"));
    CHECK(value("select due_at <= now() from timer where id = 'a'") == "t");
    CHECK(ctl("retry bad --yes --json").has(R"({"action":"retry","done":true,)"));
    CHECK(value("select count(*) from timer where failed_at is null") == "3");
    CHECK(ctl("cancel a c --yes").code == 0);
    CHECK(value("select string_agg(id, ' ') from timer") == "bad");
    CHECK(value("select count(*) from outbox_event where topic = 'ops.audit.events.v1'") == "5");

    const auto missing = ctl("cancel none --yes");
    CHECK(missing.code == 1);
    CHECK(missing.has("no-such-timer: upload has no timer none; timers list --service upload"));
    CHECK(ctl("retry bad").has("run-now makes it due at once"));
    CHECK(ctl("reschedule bad --at noon").code == 2);
    CHECK(ctl("explode bad").code == 2);
    CHECK(ctl("list --limit 0").code == 2);
}
