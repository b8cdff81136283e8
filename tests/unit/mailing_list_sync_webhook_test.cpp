#include "mailing-list-sync/provider/brevo.hpp"
#include "mailing-list-sync/provider/webhook_body.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::mailing_list_sync;
using namespace std::chrono_literals;

namespace {

constexpr timestamp received{std::chrono::sys_days{std::chrono::November / 23 / 2026}};

} // namespace

TEST_CASE("a webhook is one object or an array of them", "[mailing-list-sync]") {
    CHECK(split_webhook(R"({"event":"spam"})")->size() == 1);
    CHECK(split_webhook(R"([{"event":"spam"},{"event":"delivered"}])")->size() == 2);
    CHECK(split_webhook("[]")->empty());
    const auto bad = GENERATE(values<std::string>({"", "true", "\"text\"", "{", "{}x"}));
    CAPTURE(bad);
    CHECK_FALSE(split_webhook(bad));
}

TEST_CASE("an unsubscription is read with its campaign and time", "[mailing-list-sync]") {
    const auto read = read_webhook(
        R"({"id":1,"email":"a@x.be","event":"unsubscribed","campaign name":"Spring","camp_id":7,)"
        R"("list_id":[2,3],"date_event":"2020-10-09 00:00:00","ts_event":1604933619,)"
        R"("ts":1604937111})",
        received);
    REQUIRE(read);
    CHECK(read->what == provider_event::kind::unsubscribed);
    CHECK(read->email == "a@x.be");
    CHECK(read->campaign == 7);
    CHECK(read->occurred_at == timestamp(1604933619s));
}

TEST_CASE("names differ between Brevo's pages, and unknown ones are no error",
          "[mailing-list-sync]") {
    const auto [name, meaning] = GENERATE(table<std::string, provider_event::kind>({
        {"unsubscribed", provider_event::kind::unsubscribed},
        {"unsubscribe", provider_event::kind::unsubscribed},
        {"spam", provider_event::kind::complaint},
        {"complaint", provider_event::kind::complaint},
        {"hard_bounced", provider_event::kind::campaign_progress},
        {"list_addition", provider_event::kind::unknown},
        {"something_new", provider_event::kind::unknown},
    }));
    CAPTURE(name);
    const auto read = read_webhook("{\"event\":\"" + name + "\",\"email\":\"a@x.be\"}", received);
    REQUIRE(read);
    CHECK(read->what == meaning);
    CHECK(read->occurred_at == received);
}

TEST_CASE("an answer of the provider is judged by its structure", "[mailing-list-sync]") {
    struct row {
        int status;
        const char* body;
        error_kind kind;
        const char* slug;
    };

    const auto given = GENERATE(values<row>({
        {429, "Rate limit", error_kind::rate_limited, "provider-rate-limited"},
        {425, "", error_kind::unavailable, "provider-busy-with-contact"},
        {500, "<html>", error_kind::unavailable, "provider-unavailable"},
        {524, "", error_kind::unavailable, "provider-unavailable"},
        {401, "{}", error_kind::forbidden, "provider-refuses-us"},
        {402, "{}", error_kind::forbidden, "provider-refuses-us"},
        {404, "{}", error_kind::not_found, "unknown-at-provider"},
        {400, R"({"code":"invalid_parameter","metadata":{"duplicate_identifiers":["email"]}})",
         error_kind::conflict, "duplicate-contact"},
        {400, R"({"code":"duplicate_parameter","message":"x"})", error_kind::invalid,
         "provider-refused"},
        {400, "half a {", error_kind::invalid, "provider-refused"},
    }));
    CAPTURE(given.status, given.body);
    const auto meaning = classify(rest::answer{given.status, {}, given.body});
    REQUIRE_FALSE(meaning);
    CHECK(meaning.error().kind == given.kind);
    CHECK(meaning.error().slug == given.slug);
    CHECK(classify(rest::answer{204, {}, ""}));
}

TEST_CASE("a refused rate says how long to wait", "[mailing-list-sync]") {
    const auto meaning = classify(rest::answer{429, {{"x-sib-ratelimit-reset", "17"}}, ""});
    CHECK(meaning.error().retry_after == 17s);
    // Something in front of the provider may speak, too; the longer wait counts.
    const auto both =
        classify(rest::answer{429, {{"x-sib-ratelimit-reset", "3"}, {"retry-after", "20"}}, ""});
    CHECK(both.error().retry_after == 20s);
    CHECK(classify(rest::answer{429, {}, ""}).error().retry_after == 1s);
}
