#include "ctl/dead_letters_change.hpp"
#include "events/payload_json.hpp"
#include "inbox/dead_letter_fingerprint.hpp"
#include "relais/market/v1/job_events.pb.h"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace relais;

TEST_CASE("errors that differ in their particulars only have one pattern", "[inbox]") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ""},
        {"no answer in time", "no answer in time"},
        {"job 17 of 4 is 12.5 % done", "job <n> of <n> is <n>.<n> % done"},
        {"no account 0199a2b4-77aa-7c33-9f5e-0123456789ab", "no account <id>"},
        {"job-123 and job_77 and v2", "<id> and <id> and <id>"},
        {"violates \"job_pkey\" of 'x y'", "violates \"…\" of \"…\""},
        {"it doesn't say 'why'", "it doesn't say \"…\""},
        {"an open \"quote", "an open \"quote"},
        {"two\n  lines\tand spaces", "two lines and spaces"},
        {"at 2026-11-25T10:00:00.5Z", "at <id>:<n>:<n>.<id>"},
    };
    for (const auto& [detail, pattern] : cases) {
        CAPTURE(detail);
        CHECK(inbox::detail_pattern(detail) == pattern);
    }
    const auto cut = inbox::detail_pattern(std::string(199, 'x') + "é and more");
    CHECK(cut == std::string(199, 'x'));
}

TEST_CASE("a fingerprint tells types, reasons and patterns apart", "[inbox]") {
    const auto one = inbox::fingerprint("type", "reason", "pattern");
    CHECK(one.size() == 12);
    CHECK(one == inbox::fingerprint("type", "reason", "pattern"));
    CHECK(one != inbox::fingerprint("other", "reason", "pattern"));
    CHECK(one != inbox::fingerprint("type", "other", "pattern"));
    CHECK(one != inbox::fingerprint("type", "reason", "other"));
    CHECK(one != inbox::fingerprint("type", "reasonp", "attern"));
}

TEST_CASE("the detail of a letter's last error", "[inbox]") {
    CHECK(inbox::last_detail(R"([{"slug":"a","detail":"first"},{"slug":"b","detail":"last"}])") ==
          "last");
    for (const char* text : {"", "[]", "{}", "[1]", R"([{"slug":"a"}])", R"([{"detail":7}])"}) {
        CHECK(inbox::last_detail(text).empty());
    }
}

TEST_CASE("a message goes to JSON and back, strictly", "[events]") {
    const std::string type = "relais.market.v1.JobPublished";
    market::v1::JobPublished job;
    job.set_job_id("a");
    job.set_category("plumbing");
    const auto text = events::payload_to_json(type, job.SerializeAsString());
    REQUIRE(text);
    CHECK(events::payload_from_json(type, *text) == job.SerializeAsString());
    CHECK(events::payload_from_json(type, "{}") == std::string());
    for (const char* bad : {"", "[]", "{", R"({"no_such_field":1})", R"({"job_id":{}})"}) {
        CAPTURE(bad);
        CHECK(events::payload_from_json(type, bad).error().slug == "payload-json");
    }
    CHECK(events::payload_from_json("no.such.Type", "{}").error().slug == "unknown-type");
    CHECK_FALSE(events::payload_to_json(type, "\xff"));
}

TEST_CASE("rates of redriving", "[ctl]") {
    CHECK(ctl::parse_rate("50/s") == 50.0);
    CHECK(ctl::parse_rate("0.5") == 0.5);
    CHECK(ctl::parse_rate("600/m") == 10.0);
    for (const char* bad : {"", "/s", "0/s", "-1/s", "nan", "inf", "5/h", "10001/s", "5 s"}) {
        CAPTURE(bad);
        CHECK(ctl::parse_rate(bad).error().slug == "usage");
    }
}
