#include "clock/rfc3339.hpp"
#include "events/event.hpp"
#include "relais/identity/v1/account_events.pb.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>

using namespace relais;

namespace {

timestamp at(std::string_view text) {
    return parse_rfc3339(text).value();
}

events::event sample() {
    relais::identity::v1::AccountRegistered message;
    message.set_account_id("0197c0de-0000-7000-8000-000000000001");
    message.set_locale("nl");
    const auto why = events::cause::from_request(trace::context::start(), "request-1");
    return events::make_event(message, "web-api", why, at("2026-11-23T06:46:44.123456Z"));
}

std::string header(const events::headers& fields, std::string_view name) {
    const auto found = std::ranges::find(fields, name, &events::header::first);
    return found == fields.end() ? "(none)" : found->second;
}

events::headers replaced(events::headers fields, const std::string& name,
                         const std::string& value) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    if (value != "(none)") {
        fields.emplace_back(name, value);
    }
    return fields;
}

} // namespace

TEST_CASE("an event takes topic and key from its message's options", "[events]") {
    const auto made = sample();
    CHECK(made.topic == "identity.account.events.v1");
    CHECK(made.key == "0197c0de-0000-7000-8000-000000000001");
    CHECK(made.type == "relais.identity.v1.AccountRegistered");
    CHECK(made.source == "relais/web-api");
    CHECK(made.cause.correlation_id == "request-1");
    CHECK(made.cause.causation_id == "request-1");
    const auto message = events::decode<relais::identity::v1::AccountRegistered>(made);
    REQUIRE(message);
    CHECK(message->locale() == "nl");
}

TEST_CASE("the headers are CloudEvents' binary mode", "[events]") {
    const auto made = sample();
    const auto fields = events::to_headers(made);
    CHECK(header(fields, "ce_specversion") == "1.0");
    CHECK(header(fields, "ce_id") == made.id.text());
    CHECK(header(fields, "ce_time") == "2026-11-23T06:46:44.123456Z");
    CHECK(header(fields, "ce_subject") == made.key);
    CHECK(header(fields, "ce_partitionkey") == made.key);
    CHECK(header(fields, "content-type") == "application/protobuf");
    CHECK(header(fields, "traceparent") == made.cause.trace.traceparent());
    CHECK(header(fields, "x-lsn") == "(none)");
}

TEST_CASE("a record becomes the same event again", "[events]") {
    auto made = sample();
    made.expires_at = at("2026-11-24T00:00:00Z");
    made.needs = {{"contact", "a", 3}, {"job", "b", 1}, {"contact", "c", 7}};
    made.position = events::position{"web-api:2", 0xABCDEF0123456789U, 5};
    const auto fields = events::to_headers(made);
    CHECK(header(fields, "needs-contact-version") == "a:3,c:7");
    CHECK(header(fields, "needs-job-version") == "b:1");
    CHECK(header(fields, "x-lsn") == "abcdef0123456789");

    const auto read = events::from_record(made.topic, made.key, made.payload, fields);
    REQUIRE(read);
    CHECK(read->id == made.id);
    CHECK(read->type == made.type);
    CHECK(read->time == made.time);
    CHECK(read->expires_at == made.expires_at);
    CHECK(read->cause.trace.traceparent() == made.cause.trace.traceparent());
    CHECK(read->cause.correlation_id == "request-1");
    CHECK(read->needs.size() == 3);
    REQUIRE(read->position);
    CHECK(read->position->source == "web-api:2");
    CHECK(read->position->lsn == 0xABCDEF0123456789U);
    CHECK(read->position->index == 5);
    CHECK_FALSE(read->tombstone);
}

TEST_CASE("an event that is read where another one was keeps nothing of it", "[events]") {
    auto full = sample();
    full.expires_at = at("2026-11-24T00:00:00Z");
    full.needs = {{"contact", "a", 3}};
    full.position = events::position{"web-api:2", 7, 5};
    auto bare = sample();
    bare.key = "other";
    bare.cause.correlation_id.clear();
    bare.cause.causation_id.clear();
    bare.tombstone = true;
    const auto fields = events::to_headers(full);
    const std::vector<std::pair<std::string_view, std::string_view>> views(fields.begin(),
                                                                           fields.end());
    events::event event;
    REQUIRE(events::read_record(
        {.topic = full.topic, .key = full.key, .value = full.payload, .headers = views}, event));
    CHECK(event.needs == full.needs);
    const auto bare_fields = events::to_headers(bare);
    const std::vector<std::pair<std::string_view, std::string_view>> bare_views(bare_fields.begin(),
                                                                                bare_fields.end());
    // A failure in between leaves nothing behind, either.
    REQUIRE_FALSE(events::read_record(
        {.topic = full.topic, .key = "", .value = full.payload, .headers = views}, event));
    REQUIRE(events::read_record(
        {.topic = bare.topic, .key = bare.key, .value = std::nullopt, .headers = bare_views},
        event));
    CHECK(event.id == bare.id);
    CHECK(event.key == "other");
    CHECK(event.tombstone);
    CHECK(event.payload.empty());
    CHECK(event.needs.empty());
    CHECK_FALSE(event.expires_at);
    CHECK_FALSE(event.position);
    CHECK(event.cause.correlation_id.empty());
    CHECK(event.cause.causation_id.empty());
}

TEST_CASE("a key that no database can hold is found wherever it breaks", "[events]") {
    const auto made = sample();
    const auto fields = events::to_headers(made);
    const auto readable = [&](const std::string& key) {
        return events::from_record(made.topic, key, made.payload, fields).has_value();
    };
    for (std::size_t length = 1; length <= 25; ++length) {
        const std::string plain(length, 'k');
        REQUIRE(readable(plain));
        for (std::size_t i = 0; i < length; ++i) {
            CAPTURE(length, i);
            for (const char broken : {'\0', '\x80', '\xff', '\xc3'}) {
                auto key = plain;
                key[i] = broken;
                CHECK_FALSE(readable(key));
            }
            CHECK(readable(plain.substr(0, i) + "\u00e9" + plain.substr(i)));
            CHECK(readable(plain.substr(0, i) + "\x01" + plain.substr(i)));
        }
    }
}

TEST_CASE("an empty message is not a tombstone", "[events]") {
    auto made = sample();
    made.payload.clear();
    const auto empty = events::from_record(made.topic, made.key, "", events::to_headers(made));
    REQUIRE(empty);
    CHECK_FALSE(empty->tombstone);

    const auto erased = events::make_tombstone("identity.contact.snapshots.v1", "k", "web-api",
                                               made.as_cause(), made.time);
    const auto fields = events::to_headers(erased);
    CHECK(header(fields, "content-type") == "(none)");
    const auto read = events::from_record(erased.topic, erased.key, std::nullopt, fields);
    REQUIRE(read);
    CHECK(read->tombstone);
    CHECK(read->type == events::tombstone_type);
}

TEST_CASE("a broken envelope names the header", "[events]") {
    struct wrong {
        std::string name;
        std::string value;
    };

    const auto [name, value] = GENERATE(
        wrong{"ce_id", "17"}, wrong{"ce_id", "(none)"}, wrong{"ce_type", "(none)"},
        wrong{"ce_type", std::string("a\0b", 3)}, wrong{"ce_source", ""},
        wrong{"ce_specversion", "0.3"}, wrong{"ce_time", "yesterday"}, wrong{"expires-at", "soon"},
        wrong{"content-type", "application/json"}, wrong{"x-src", "web-api"},
        wrong{"x-src", "(none)"}, wrong{"x-src", ":1"}, wrong{"x-lsn", "xyz"},
        wrong{"x-lsn", "(none)"}, wrong{"x-idx", "-1"}, wrong{"needs-contact-version", "abc"},
        wrong{"needs-contact-version", "a:x"}, wrong{"needs-job-version", ":1"});
    auto made = sample();
    made.position = events::position{"web-api:1", 1, 1};
    const auto fields = replaced(events::to_headers(made), name, value);
    const auto read = events::from_record(made.topic, made.key, made.payload, fields);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == error_kind::invalid);
    CHECK(read.error().slug == "bad-envelope");
    CHECK(read.error().detail == name);
}

TEST_CASE("a key must be text that a database can hold", "[events]") {
    const auto key = GENERATE(std::string(), std::string("a\0b", 3), std::string("\xff\xfe"),
                              std::string("\xc0\x80"), std::string("\xed\xa0\x80"),
                              std::string("\xe2\x82"), std::string("\xf4\x90\x80\x80"));
    const auto made = sample();
    const auto read = events::from_record(made.topic, key, made.payload, events::to_headers(made));
    REQUIRE_FALSE(read);
    CHECK(read.error().detail == "key");
    const auto good =
        events::from_record(made.topic, "zoë €😀", made.payload, events::to_headers(made));
    CHECK(good.has_value());
}

TEST_CASE("causes chain: one correlation, the direct cause, one trace", "[events]") {
    const auto first = sample();
    const auto why = first.as_cause();
    CHECK(why.correlation_id == "request-1");
    CHECK(why.causation_id == first.id.text());
    CHECK(why.trace.trace_id == first.cause.trace.trace_id);
    CHECK(why.trace.span_id != first.cause.trace.span_id);
}

TEST_CASE("unknown headers do not matter, a missing trace starts one", "[events]") {
    const auto made = sample();
    auto fields = replaced(events::to_headers(made), "traceparent", "nonsense");
    fields.emplace_back("x-other", "1");
    fields.emplace_back("needs-version", "1");
    const auto read = events::from_record(made.topic, made.key, made.payload, fields);
    REQUIRE(read);
    CHECK(read->needs.empty());
    CHECK(read->cause.trace.trace_id != std::array<std::uint8_t, 16>{});
}
