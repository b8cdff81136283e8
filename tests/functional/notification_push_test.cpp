#include "notification_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::notification;
using test::notification_rig;
namespace json = boost::json;

TEST_CASE("an offer is told by mail and push", "[notification][serial]") {
    notification_rig rig;
    rig.start();
    rig.make_offer();
    rig.wait_until_settled();
    REQUIRE(rig.mails().size() == 1);
    const auto pushes = rig.pushes();
    REQUIRE(pushes.size() == 1);
    const auto& push = pushes.front().as_object();
    CHECK(push.at("headings").as_object().at("en").as_string() == "New offer: €125");
    CHECK(push.at("headings").as_object().at("nl").as_string() == "Nieuwe offerte: €\u00a0125");
    CHECK(push.at("contents").as_object().at("nl").as_string() ==
          "Voor je opdracht “Roof & gutter”");
    CHECK(push.at("url").as_string() == "http://relais.test/jobs/" + rig.job.text());
    CHECK(push.at("data").as_object().at("job_id").as_string() == rig.job.text());
    CHECK(push.at("idempotency_key").as_string() == rig.ledger("delivery_id", "push"));
    CHECK(rig.ledger("state", "push") == "accepted");
    CHECK(rig.settled_events() == "2");
}

TEST_CASE("whatever the push provider does, one push", "[notification][serial]") {
    const auto script = GENERATE(
        json::object{{"fault", "reset_before"}}, json::object{{"fault", "reset_after"}},
        json::object{{"fault", "status"}, {"status", 500}, {"process", true}},
        json::object{{"fault", "truncated_json"}},
        json::object{
            {"fault", "status"}, {"status", 429}, {"headers", json::object{{"Retry-After", "1"}}}});
    CAPTURE(json::serialize(script));
    notification_rig rig;
    json::object fault{{"provider", "onesignal"}, {"route", "^POST"}, {"times", 1}};
    for (const auto& member : script) {
        fault[member.key()] = member.value();
    }
    rig.fault(fault);
    rig.start();
    rig.make_offer();
    rig.wait_until_settled();
    CHECK(rig.pushes().size() == 1);
    CHECK(rig.ledger("state", "push") == "accepted");
}

TEST_CASE("a device that nobody uses any more is not tried again", "[notification][serial]") {
    notification_rig rig;
    test::await_on(rig.loop,
                   rig.sandbox.post("/onesignal/subscriptions",
                                    json::object{{"id", rig.subscription}, {"state", "dead"}}));
    rig.start();
    rig.make_offer();
    rig.wait_until_settled();
    CHECK(rig.ledger("state", "push") == "skipped");
    CHECK(rig.ledger("reason", "push") == "no-subscribed-device");
    CHECK(rig.database.value("select dead_at is not null from device") == "t");
    rig.make_offer();
    rig.wait_until_settled();
    CHECK(rig.database.value("select count(*) from delivery where reason = 'no-device'") == "1");
    rig.save_person(); // the same subscription stays dead, a new one lives
    CHECK(rig.database.value("select dead_at is not null from device") == "t");
    rig.subscription = make_uuid_v7().text();
    rig.save_person();
    CHECK(rig.database.value("select dead_at is not null from device") == "f");
}

TEST_CASE("a subscription that is no UUID does not spoil the others", "[notification][serial]") {
    notification_rig rig;
    rig.database.query("insert into device values ('" + rig.account.text() +
                       "', 'd2', 'onesignal', 'nonsense', 'ios')");
    rig.start();
    rig.make_offer();
    rig.wait_until_settled();
    CHECK(rig.pushes().size() == 1);
    CHECK(rig.database.value("select string_agg(device_id, ' ') from device"
                             " where dead_at is not null") == "d2");
}
