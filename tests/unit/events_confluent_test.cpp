#include "events/confluent.hpp"
#include "events/event.hpp"
#include "relais/market/v1/job_events.pb.h"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace std::literals;

TEST_CASE("a message in Confluent's framing is found, whatever its indexes", "[events]") {
    CHECK(events::unwrap_confluent("\0\0\0\0\x07\0abc"sv) == "abc"sv);     // [0], as one byte
    CHECK(events::unwrap_confluent("\0\0\0\0\x07\x02\0abc"sv) == "abc"sv); // [0], spelled out
    CHECK(events::unwrap_confluent("\0\0\0\0\x07\x04\x02\x06z"sv) == "z"sv);
    CHECK(events::unwrap_confluent("\0\0\0\0\x07\x02\x80\x01z"sv) == "z"sv); // index 64
    CHECK(events::unwrap_confluent("\0\0\0\0\x07\0"sv) == ""sv);             // an empty message
}

TEST_CASE("what is not framed so is left alone", "[events]") {
    for (const auto value : {""sv, "\0"sv, "\0\0\0\0\x07"sv, "\x0a\x03xyz"sv,
                             "\0\0\0\0\x07\x01z"sv, // -1 indexes
                             "\0\0\0\0\x07\x02"sv,  // the index is missing
                             "\0\0\0\0\x07\xff\xff\xff\xff\xff\xff"sv}) {
        CHECK_FALSE(events::unwrap_confluent(value));
    }
}

TEST_CASE("an event whose value is in Confluent's framing is read as any other", "[events]") {
    market::v1::JobPublished job;
    job.set_job_id("job-1");
    const auto made = events::make_event(job, "web-api", {}, system_clock().now());
    const auto framed = "\0\0\0\0\x2a\0"s + made.payload;
    const auto read = events::from_record(made.topic, made.key, framed, events::to_headers(made));
    REQUIRE(read);
    const auto message = events::decode<market::v1::JobPublished>(*read);
    REQUIRE(message);
    CHECK(message->job_id() == "job-1");
}
