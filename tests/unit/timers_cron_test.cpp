#include "clock/rfc3339.hpp"
#include "timers/cron.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;
using timers::cron;
using timers::cron_fields;

namespace {

timestamp at(const char* text) {
    return parse_rfc3339(text).value();
}

std::string next(const char* expression, const char* zone, const char* after) {
    const auto when = cron::parse(expression, zone);
    REQUIRE(when);
    return to_rfc3339(when->next_after(at(after))).substr(0, 16);
}

std::vector<std::string> next_ones(const char* expression, const char* zone, const char* after,
                                   int number) {
    const auto when = cron::parse(expression, zone);
    REQUIRE(when);
    std::vector<std::string> all;
    auto moment = at(after);
    for (int i = 0; i < number; ++i) {
        moment = when->next_after(moment);
        all.push_back(to_rfc3339(moment).substr(5, 11));
    }
    return all;
}

struct due_case {
    const char* expression;
    const char* after;
    const char* due;
};

} // namespace

TEST_CASE("when a cron expression is due next", "[timers]") {
    const std::vector<due_case> cases{
        {"* * * * *", "2026-11-25T10:00:00Z", "2026-11-25T10:01"},
        {"* * * * *", "2026-11-25T10:00:59.999999Z", "2026-11-25T10:01"},
        {"0 3 * * *", "2026-11-25T02:59:59Z", "2026-11-25T03:00"},
        {"0 3 * * *", "2026-11-25T03:00:00Z", "2026-11-26T03:00"},
        {"*/20 * * * *", "2026-11-25T10:40:00Z", "2026-11-25T11:00"},
        {"10-50/20 * * * *", "2026-11-25T10:31:00Z", "2026-11-25T10:50"},
        {"5,35 6-8 * * *", "2026-11-25T08:36:00Z", "2026-11-26T06:05"},
        {"0 0 1 1 *", "2026-11-25T00:00:00Z", "2027-01-01T00:00"},
        {"0 12 * * mon-fri", "2026-11-27T12:00:00Z", "2026-11-30T12:00"},
        {"0 12 * * SUN", "2026-11-25T12:00:00Z", "2026-11-29T12:00"},
        {"0 12 * * 7", "2026-11-25T12:00:00Z", "2026-11-29T12:00"},
        {"0 12 * * 5-7", "2026-11-28T13:00:00Z", "2026-11-29T12:00"},
        {"0 0 * feb,Nov *", "2026-11-30T00:00:00Z", "2027-02-01T00:00"},
        {"0 0 29 2 *", "2026-11-25T00:00:00Z", "2028-02-29T00:00"},
        {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00"},
        {"0 0 31 * *", "2026-11-25T00:00:00Z", "2026-12-31T00:00"},
        // Both days restricted: one is enough. One of them with a star: both.
        {"0 0 13 * fri", "2026-11-25T00:00:00Z", "2026-11-27T00:00"},
        {"0 0 13 * fri", "2026-12-11T00:00:00Z", "2026-12-13T00:00"},
        {"0 0 */2 * mon", "2026-11-23T00:00:00Z", "2026-12-07T00:00"},
        {"@hourly", "2026-11-25T10:20:00Z", "2026-11-25T11:00"},
        {"@daily", "2026-11-25T10:20:00Z", "2026-11-26T00:00"},
        {"@midnight", "2026-11-25T10:20:00Z", "2026-11-26T00:00"},
        {"@weekly", "2026-11-25T10:20:00Z", "2026-11-29T00:00"},
        {"@monthly", "2026-11-25T10:20:00Z", "2026-12-01T00:00"},
        {"@yearly", "2026-11-25T10:20:00Z", "2027-01-01T00:00"},
        {"@annually", "2026-11-25T10:20:00Z", "2027-01-01T00:00"},
        {"  0\t3  * * * ", "2026-11-25T02:59:59Z", "2026-11-25T03:00"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.expression, each.after);
        CHECK(next(each.expression, "UTC", each.after) == each.due);
    }
}

TEST_CASE("a cron expression goes by its place's wall clock", "[timers]") {
    CHECK(next("0 3 * * *", "Europe/Brussels", "2026-11-25T00:00:00Z") == "2026-11-25T02:00");
    CHECK(next("0 3 * * *", "Europe/Brussels", "2026-07-25T00:00:00Z") == "2026-07-25T01:00");
    CHECK(next("0 3 * * *", "Asia/Kathmandu", "2026-11-25T00:00:00Z") == "2026-11-25T21:15");
    CHECK(next("0 0 * * mon", "Pacific/Auckland", "2026-11-25T00:00:00Z") == "2026-11-29T11:00");
}

TEST_CASE("when clocks are set forward, what is left out is due after the gap", "[timers]") {
    // Brussels, 29 March 2026: at 01:00 UTC 02:00 becomes 03:00.
    const char* zone = "Europe/Brussels";
    CHECK(next_ones("30 2 * * *", zone, "2026-03-28T00:00:00Z", 3) ==
          std::vector<std::string>{"03-28T01:30", "03-29T01:00", "03-30T00:30"});
    // Several times of the gap are due once, at its end.
    CHECK(next_ones("0,15,30 2,3 29 3 *", zone, "2026-03-28T00:00:00Z", 4) ==
          std::vector<std::string>{"03-29T01:00", "03-29T01:15", "03-29T01:30", "03-29T00:00"});
    // Every hour: by elapsed time.
    CHECK(next_ones("15 * * * *", zone, "2026-03-28T23:30:00Z", 3) ==
          std::vector<std::string>{"03-29T00:15", "03-29T01:15", "03-29T02:15"});
    // Half an hour, at 02:00 in the south's October.
    CHECK(next_ones("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", 2) ==
          std::vector<std::string>{"10-03T15:30", "10-04T15:15"});
}

TEST_CASE("when clocks are set back, what comes twice is due once", "[timers]") {
    // Brussels, 25 October 2026: at 01:00 UTC 03:00 becomes 02:00.
    const char* zone = "Europe/Brussels";
    CHECK(next_ones("30 2 * * *", zone, "2026-10-24T00:00:00Z", 3) ==
          std::vector<std::string>{"10-24T00:30", "10-25T00:30", "10-26T01:30"});
    // Asked between the two: not again.
    CHECK(next("30 2 * * *", zone, "2026-10-25T00:45:00Z") == "2026-10-26T01:30");
    CHECK(next("30 2 * * *", zone, "2026-10-25T01:10:00Z") == "2026-10-26T01:30");
    // Every hour, every twenty minutes: by elapsed time, in both hours.
    CHECK(next_ones("30 * * * *", zone, "2026-10-24T23:45:00Z", 4) ==
          std::vector<std::string>{"10-25T00:30", "10-25T01:30", "10-25T02:30", "10-25T03:30"});
    CHECK(next_ones("*/20 */1 * * *", zone, "2026-10-25T00:30:00Z", 5) ==
          std::vector<std::string>{"10-25T00:40", "10-25T01:00", "10-25T01:20", "10-25T01:40",
                                   "10-25T02:00"});
}

TEST_CASE("the due times of a year are each later than the one before, and on the minute",
          "[timers]") {
    for (const char* zone : {"Europe/Brussels", "Australia/Lord_Howe", "Africa/Casablanca"}) {
        for (const char* expression : {"*/30 * * * *", "*/30 0-4 * * *"}) {
            const auto when = cron::parse(expression, zone);
            REQUIRE(when);
            auto moment = at("2026-01-01T00:00:00Z");
            int count = 0;
            while (moment < at("2027-01-01T00:00:00Z")) {
                const auto due = when->next_after(moment);
                REQUIRE(due > moment);
                REQUIRE(due.time_since_epoch() % std::chrono::minutes(1) ==
                        std::chrono::minutes(0));
                // The same from anywhere in between.
                REQUIRE(when->next_after(moment + (due - moment) / 2) == due);
                moment = due;
                ++count;
            }
            CHECK(count > 1'700);
        }
    }
}

TEST_CASE("the latest due time up to now is found without walking there", "[timers]") {
    const auto daily = cron::parse("0 3 * * *", "Europe/Brussels").value();
    const auto due = at("2026-03-01T02:00:00Z");
    CHECK(daily.latest_until(due, due) == due);
    CHECK(daily.latest_until(due, at("2026-03-02T01:59:59Z")) == due);
    CHECK(daily.latest_until(due, at("2026-03-02T02:00:00Z")) == at("2026-03-02T02:00:00Z"));
    CHECK(daily.latest_until(due, at("2026-07-01T12:00:00Z")) == at("2026-07-01T01:00:00Z"));
    const auto dense = cron::parse("* 0-3 * 1 *", "UTC").value();
    CHECK(dense.latest_until(at("2020-01-01T00:00:00Z"), at("2026-11-25T00:00:00Z")) ==
          at("2026-01-31T03:59:00Z"));
}

TEST_CASE("what is no cron expression is refused, with what was expected", "[timers]") {
    const std::vector<std::pair<const char*, const char*>> cases{
        {"", "five fields"},
        {"* * * *", "five fields"},
        {"* * * * * *", "five fields"},
        {"@reboot", "five fields"},
        {"60 * * * *", "field minute: 0 to 59"},
        {"* 24 * * *", "field hour: 0 to 23"},
        {"* * 0 * *", "field day of month: 1 to 31"},
        {"* * * 13 *", "field month: 1 to 12 or an English name"},
        {"* * * * 8", "field day of week: 0 to 7"},
        {"* * * * monday", "field day of week"},
        {"-1 * * * *", "field minute"},
        {"1, * * * *", "field minute"},
        {"50-10 * * * *", "from the smaller to the greater"},
        {"5/10 * * * *", "a step is written */5"},
        {"*/0 * * * *", "a step is written */5"},
        {"*/x * * * *", "a step is written */5"},
        {"*/99999999999 * * * *", "a step is written */5"},
        {"0 0 30 2 *", "never comes"},
        {"0 0 31 4,6,9,11 *", "never comes"},
    };
    for (const auto& [expression, expected] : cases) {
        CAPTURE(expression);
        const auto read = cron_fields::parse(expression);
        REQUIRE_FALSE(read);
        CHECK(read.error().kind == error_kind::invalid);
        CHECK(read.error().slug == "cron-expression");
        CHECK(read.error().detail.find(expected) != std::string::npos);
    }
}

TEST_CASE("what is no time zone is refused", "[timers]") {
    for (const char* name : {"", "Europe/Brussel", "GMT+3", "Etc/Unknown", "brussels", "\xff"}) {
        CAPTURE(name);
        const auto found = timers::time_zone::find(name);
        REQUIRE_FALSE(found);
        CHECK(found.error().slug == "time-zone");
        CHECK(cron::parse("@daily", name).error().slug == "time-zone");
    }
}
