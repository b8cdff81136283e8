#include "gateway/access/reason_text.hpp"
#include "gateway/access/recent_requests.hpp"
#include "gateway/live/request_story.hpp"
#include "support/access_records.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/ranges.h>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::finished_request;

namespace {

std::string told(const access_record& record, const access_names& names) {
    return fmt::format("{}", fmt::join(story_of(record, names), "\n"));
}

} // namespace

TEST_CASE("every reason is explained and has a next step", "[gateway]") {
    for (std::size_t i = 1; i < error_reason_count; ++i) {
        const auto& text = text_of(static_cast<error_reason>(i));
        CAPTURE(i);
        CHECK(text.what.size() > 10);
        CHECK(text.what.ends_with("."));
        CHECK(text.next.size() > 5);
    }
    CHECK(text_of(error_reason::none).what.empty());
}

TEST_CASE("the story of a request that went well", "[gateway]") {
    access_names names;
    auto record = finished_request(names);
    record.account = *uuid::parse("01941f29-7c00-7aaa-8aaa-0123456789ab");
    record.connect = not_reached;
    record.connection_reused = true;
    CHECK(told(record, names) ==
          "GET /v1/jobs came from 203.0.113.0/24 over HTTP/1.1.\n"
          "The route /v1 matched: it leads to web-api.\n"
          "The caller is account 01941f29-7c00-7aaa-8aaa-0123456789ab.\n"
          "It went to 10.0.0.7:8411 over a connection that was open already.\n"
          "It answered 200 after 10.0 ms.\n"
          "It ended with status 200 after 12.3 ms; 17 bytes had come and 4711 went out.");
}

TEST_CASE("the story of one that was refused says why and what to do", "[gateway]") {
    access_names names;
    auto record = finished_request(names);
    record.queue = record.connect = record.service = record.transfer = not_reached;
    record.upstream_instance = name_table::none;
    record.status = 429;
    record.reason = error_reason::rate_limited;
    record.detail.assign("limit address");
    CHECK_THAT(told(record, names),
               ContainsSubstring("asked more often than a limit allows. (limit address)\n"
                                 "It ended with status 429") &&
                   ContainsSubstring("\nNext: The detail names the limit"));
    CHECK_THAT(request_json(record, names),
               ContainsSubstring(R"("reason":"rate_limited")") &&
                   ContainsSubstring(R"("detail":"limit address")") &&
                   ContainsSubstring(R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736")"));
}

TEST_CASE("the longest detail of the gateway's own is told whole", "[gateway]") {
    access_names names;
    auto record = finished_request(names);
    record.reason = error_reason::forbidden;
    constexpr std::string_view longest =
        "with the session cookie only pages of the same origin may do this";
    record.detail.assign_marked(longest);
    CHECK_THAT(request_json(record, names),
               ContainsSubstring(fmt::format(R"("detail":"{}")", longest)));
    record.detail.assign_marked("somebody else said " + std::string(100, 'x'));
    CHECK_THAT(told(record, names), ContainsSubstring("xxx…)\n"));
}

TEST_CASE("failed requests are remembered longer than others", "[gateway]") {
    access_names names;
    recent_requests recent(10);
    for (std::uint64_t i = 0; i < 100; ++i) {
        recent.note(finished_request(names, i), i % 10 == 0);
    }
    CHECK(recent.find("request-99"));
    CHECK(recent.find("request-90"));
    CHECK(recent.find("request-0")); // failed
    CHECK_FALSE(recent.find("request-1"));
    CHECK_FALSE(recent.find("request-89"));
    CHECK_FALSE(recent.find(""));
    const auto failed = recent.notable(3);
    REQUIRE(failed.size() == 3);
    CHECK(failed[0].request_id.view() == "request-90");
    CHECK(failed[2].request_id.view() == "request-70");
    CHECK(recent.notable(1'000).size() == 10);
}

TEST_CASE("a request is found by its trace, too, and the last of several", "[gateway]") {
    access_names names;
    recent_requests recent(10);
    auto record = finished_request(names);
    recent.note(record, false);
    record.status = 503;
    recent.note(record, true);
    CHECK(recent.find("4bf92f3577b34da6a3ce929d0e0e4736")->status == 503);
    CHECK(recent.find("request-1")->status == 503);
    recent_requests none(0);
    none.note(record, true);
    CHECK_FALSE(none.find("request-1"));
    CHECK(none.notable(5).empty());
}
