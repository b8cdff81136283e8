#include "events/event.hpp"
#include "events/topic_catalogue.hpp"
#include "relais/edge/v1/access_events.pb.h"
#include "relais/edge/v1/ban_events.pb.h"
#include "relais/edge/v1/security_events.pb.h"
#include "relais/identity/v1/account_events.pb.h"
#include "relais/identity/v1/contact_snapshots.pb.h"
#include "relais/market/v1/job_events.pb.h"
#include "relais/market/v1/job_snapshots.pb.h"
#include "relais/marketing/v1/campaign_events.pb.h"
#include "relais/marketing/v1/campaign_requests.pb.h"
#include "relais/marketing/v1/contact_events.pb.h"
#include "relais/media/v1/asset_events.pb.h"
#include "relais/notify/v1/delivery_events.pb.h"
#include "relais/options/v1/options.pb.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;

namespace {

std::string entry(std::string_view fields) {
    return std::string("topic { ").append(fields).append(" }");
}

constexpr const char* good =
    R"(name: "a.b.events.v1" producer: "x" partitions: 3 lane: LANE_BULK
       cleanup: CLEANUP_DELETE retention_hours: 5 description: "d")";

/// Every file that holds events.
std::vector<const google::protobuf::FileDescriptor*> event_files() {
    return {relais::edge::v1::AccessLogged::descriptor()->file(),
            relais::edge::v1::AddressBanned::descriptor()->file(),
            relais::edge::v1::RequestRefused::descriptor()->file(),
            relais::identity::v1::AccountRegistered::descriptor()->file(),
            relais::identity::v1::ContactSnapshot::descriptor()->file(),
            relais::market::v1::JobPublished::descriptor()->file(),
            relais::market::v1::JobSnapshot::descriptor()->file(),
            relais::marketing::v1::CampaignProgressed::descriptor()->file(),
            relais::marketing::v1::CampaignRequested::descriptor()->file(),
            relais::marketing::v1::ListMembershipChanged::descriptor()->file(),
            relais::media::v1::UploadGranted::descriptor()->file(),
            relais::notify::v1::DeliverySettled::descriptor()->file()};
}

} // namespace

TEST_CASE("the built-in catalogue is valid and knows its topics", "[events]") {
    const auto parsed = events::parse_topics(events::detail::built_in_topics());
    REQUIRE(parsed);
    CHECK(parsed->size() == events::all_topics().size());
    const auto* contacts = events::find_topic("identity.contact.snapshots.v1");
    REQUIRE(contacts != nullptr);
    CHECK(contacts->compacted);
    CHECK(contacts->producer == "web-api");
    CHECK(contacts->partitions == 12);
    CHECK(contacts->max_compaction_lag == std::chrono::hours(24));
    CHECK(events::find_topic("no.such.topic.v1") == nullptr);
}

TEST_CASE("a catalogue entry is read", "[events]") {
    const auto parsed = events::parse_topics(entry(good));
    REQUIRE(parsed);
    const auto& topic = parsed->front();
    CHECK(topic.name == "a.b.events.v1");
    CHECK(topic.lane == events::lane::bulk);
    CHECK_FALSE(topic.compacted);
    CHECK(topic.retention == std::chrono::hours(5));
}

TEST_CASE("a wrong catalogue says what is wrong", "[events]") {
    struct wrong {
        std::string text;
        std::string expected;
    };

    const auto [text, expected] = GENERATE(
        wrong{"topic { nam: 1 }", "line 1, column"},
        wrong{entry("name: \"a-b\""), "<domain>.<entity>.<kind>.v<N>"},
        wrong{entry("name: \"a.b.c.v1\""), "no producer"},
        wrong{entry("name: \"a.b.c.v1\" producer: \"x\""), "partitions"},
        wrong{entry("name: \"a.b.c.v1\" producer: \"x\" partitions: 1"), "no lane"},
        wrong{entry("name: \"a.b.c.v1\" producer: \"x\" partitions: 1 lane: LANE_BULK"), "CLEANUP"},
        wrong{entry("name: \"a.b.c.v1\" producer: \"x\" partitions: 1 lane: LANE_BULK "
                    "cleanup: CLEANUP_COMPACT retention_hours: 1"),
              "CLEANUP"},
        wrong{entry(good) + entry(good), "twice"});
    const auto parsed = events::parse_topics(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().slug == "topic-catalogue");
    CHECK(parsed.error().detail.find(expected) != std::string::npos);
}

TEST_CASE("every event names a topic of the catalogue and a text field as its key", "[events]") {
    std::size_t events_seen = 0;
    for (const auto* file : event_files()) {
        for (int i = 0; i < file->message_type_count(); ++i) {
            const auto& type = *file->message_type(i);
            const auto topic = events::topic_of(type);
            if (topic.empty()) {
                continue; // a part of an event
            }
            INFO(type.full_name());
            ++events_seen;
            const auto* known = events::find_topic(topic);
            REQUIRE(known != nullptr);
            const auto* key =
                type.FindFieldByName(type.options().GetExtension(relais::options::v1::key));
            REQUIRE(key != nullptr);
            CHECK(key->type() == google::protobuf::FieldDescriptor::TYPE_STRING);
            CHECK((!known->compacted || type.FindFieldByName("version") != nullptr));
        }
    }
    CHECK(events_seen >= 20);
}
