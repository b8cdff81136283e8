#include "notification/channels/base64.hpp"
#include "notification/handlers/webhooks.hpp"
#include "notification/store/contacts.hpp"
#include "notification/store/facts_json.hpp"
#include "notification/webhooks/provider_webhooks.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::notification;

namespace {

const std::string key(32, 'k');

constexpr auto bounce = R"({"event":"bounce","time":1430812195,"MessageID":70650219165027410,
    "Message_GUID":"g","email":"Bounce@Example.org","mj_campaign_id":7,"mj_contact_id":4,
    "customcampaign":"","CustomID":"0190f0b0-0000-7000-8000-000000000001","Payload":"",
    "blocked":false,"hard_bounce":true,"error_related_to":"recipient","error":"user unknown"})";

} // namespace

TEST_CASE("Mailjet's events come as an array or alone", "[notification]") {
    const auto alone = read_mailjet_events(bounce, key);
    REQUIRE(alone);
    REQUIRE(alone->size() == 1);
    const auto& event = alone->front();
    CHECK(event.what == feedback::bounced_hard);
    CHECK(event.reason == "user unknown");
    CHECK(event.provider_message_id == "70650219165027410");
    CHECK(event.delivery->text() == "0190f0b0-0000-7000-8000-000000000001");
    CHECK(event.occurred_at == timestamp(std::chrono::seconds(1'430'812'195)));
    CHECK(event.address_hash == address_hash(key, "bounce@example.org"));

    const auto grouped = read_mailjet_events(
        std::string("[") + bounce + R"(,{"event":"open","MessageID":1,"CustomID":"x"},3])", key);
    REQUIRE(grouped);
    REQUIRE(grouped->size() == 2);
    CHECK(grouped->front().digest == event.digest); // the same event in another grouping
    CHECK_FALSE(grouped->back().delivery);
    CHECK(grouped->back().address_hash.empty());
    CHECK_FALSE(read_mailjet_events("[{", key));
}

TEST_CASE("OneSignal's events as we define them", "[notification]") {
    const auto found = read_onesignal_events(
        R"([{"event":"message.push.unsubscribed","event_id":"e1","ts":5,"subscription_id":"s1"},
            {"event":"message.push.received","event_id":"e2","subscription_id":"s2"}])");
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(found->front().dead_subscriptions == std::vector<std::string>{"s1"});
    CHECK(found->back().dead_subscriptions.empty());
    CHECK(found->back().what == feedback::delivered);
}

TEST_CASE("a webhook's token", "[notification]") {
    const config::secret token("s3cret");
    CHECK(carries_token("Bearer s3cret", token));
    CHECK(carries_token("Basic " + to_base64("mailjet:s3cret"), token));
    CHECK(carries_token("Basic " + to_base64(":s3cret"), token));
    for (const auto* wrong : {"", "Bearer ", "Bearer s3cre", "Bearer s3crets", "s3cret",
                              "Basic s3cret", "Basic", "bearer s3cret"}) {
        CAPTURE(wrong);
        CHECK_FALSE(carries_token(wrong, token));
    }
    CHECK_FALSE(carries_token("Bearer ", config::secret()));
    CHECK_FALSE(carries_token("", config::secret()));
}

TEST_CASE("the ledger's facts are read back as they were", "[notification]") {
    facts full;
    full.token_id = make_uuid_v7();
    full.token_expires_at = timestamp(std::chrono::microseconds(1'430'812'195'123'456));
    full.job = job_id::make();
    full.offer = offer_id::make();
    full.price = money{-12'050, "EUR"};
    CHECK(facts_from_json(to_json(full)) == full);
    CHECK(facts_from_json(to_json({})) == facts{});
    CHECK_FALSE(facts_from_json(R"({"job_id":"x"})"));
    CHECK_FALSE(facts_from_json("[]"));
}
