#include "functional/web_api_fixture.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "relais/identity/v1/contact_snapshots.pb.h"
#include "web-api/consumers/handle.hpp"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace relais::test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string device_body(const std::string& subscription) {
    return R"({"provider":"onesignal","subscription_id":")" + subscription +
           R"(","platform":"android"})";
}

identity::v1::ContactSnapshot last_snapshot(const web_api_fixture& api, account_id account) {
    identity::v1::ContactSnapshot last;
    for (const auto& event : api.events("ContactSnapshot")) {
        if (event.key == account.text()) {
            last = event.as<identity::v1::ContactSnapshot>();
        }
    }
    return last;
}

/// Hands an event to a consumer's function, in a transaction, as the inbox does.
template <class Message>
result<void> consume(web_api_fixture& api, const Message& message,
                     result<void> (*handle)(pg::transaction&, const Message&, const inbox::context&,
                                            const log::logger&)) {
    const events::event event{.id = event_id::make(), .time = api.time.now()};
    return api.transact([&](pg::transaction& tx) {
        const inbox::context about{.event = event, .now = api.time.now()};
        return handle(tx, message, about, log::logger());
    });
}

} // namespace

TEST_CASE("a device is registered once and goes with its subscription", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const auto first =
        api.call("POST", "/v1/devices", device_body("sub-1"), {.caller = anneke.identity});
    REQUIRE(first.status == 201);
    const auto id = parse_object(first).at("id");
    CHECK(last_snapshot(api, anneke.account).devices_size() == 1);
    CHECK(last_snapshot(api, anneke.account).version() == 2);
    CHECK(api.events("DeviceRegistered").back().needs_contact == anneke.account.text() + ":2");

    const auto again =
        api.call("POST", "/v1/devices", device_body("sub-1"), {.caller = anneke.identity});
    CHECK(again.status == 200);
    CHECK(parse_object(again).at("id") == id);

    // The phone changes hands: its new owner gets the pushes, the old one no more.
    CHECK(api.call("POST", "/v1/devices", device_body("sub-1"), {.caller = luc.identity}).status ==
          200);
    CHECK(last_snapshot(api, anneke.account).devices_size() == 0);
    REQUIRE(last_snapshot(api, luc.account).devices_size() == 1);
    CHECK(last_snapshot(api, luc.account).devices(0).subscription_id() == "sub-1");
    const auto list = api.call("GET", "/v1/devices", "", {.caller = luc.identity});
    CHECK(parse_object(list).at("items").as_array().size() == 1);
}

TEST_CASE("the device registered longest ago makes room for the twenty-first", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    for (int i = 0; i < 21; ++i) {
        api.time.advance(std::chrono::seconds(1));
        const auto body = device_body("sub-" + std::to_string(i));
        CHECK(api.call("POST", "/v1/devices", body, {.caller = anneke.identity}).status == 201);
    }
    const auto snapshot = last_snapshot(api, anneke.account);
    REQUIRE(snapshot.devices_size() == 20);
    CHECK(snapshot.devices(0).subscription_id() == "sub-1");
    CHECK(snapshot.devices(19).subscription_id() == "sub-20");
}

TEST_CASE("snapshots of one account are numbered without gaps, whoever changes it", "[web-api]") {
    web_api_fixture api(8);
    const auto anneke = api.register_person("anneke@example.org");
    std::vector<http::request> requests;
    for (int i = 0; i < 16; ++i) {
        requests.push_back(api.make_request("POST", "/v1/devices",
                                            device_body("sub-" + std::to_string(i)),
                                            {.caller = anneke.identity}));
    }
    for (const auto& answer : api.call_all(std::move(requests))) {
        CHECK(answer.status == 201);
    }
    std::uint64_t version = 0;
    for (const auto& event : api.events("ContactSnapshot")) {
        const auto snapshot = event.as<identity::v1::ContactSnapshot>();
        CHECK(snapshot.version() == ++version);
        CHECK(snapshot.devices_size() == static_cast<int>(version) - 1);
    }
    CHECK(version == 17);
}

TEST_CASE("consents are kept line by line and an opt-out always wins", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org", R"(["newsletter"])");
    const auto put = [&](const std::string& granted) {
        return api.call("PUT", "/v1/consents/newsletter", R"({"granted":)" + granted + "}",
                        {.caller = anneke.identity});
    };
    CHECK(put("true").status == 200);
    CHECK(api.database.value("select count(*) from consent") == "1"); // it held already

    marketing::v1::MarketingOptedOut opted_out;
    opted_out.set_account_id(anneke.account.text());
    opted_out.set_purpose("*");
    opted_out.set_provider("brevo");
    opted_out.set_evidence("webhook:abc");
    // Long ago by the provider's clock: it wins all the same.
    opted_out.mutable_occurred_at()->set_seconds(1'700'000'000);
    CHECK(consume(api, opted_out, &web_api::record_opt_out));
    CHECK(consume(api, opted_out, &web_api::record_opt_out));
    CHECK(api.database.query("select granted, source, evidence from consent order by seq") ==
          std::vector<std::vector<std::string>>{{"t", "registration", ""},
                                                {"f", "provider:brevo", "webhook:abc"}});
    CHECK_FALSE(last_snapshot(api, anneke.account).consents(0).granted());
    const auto changed = api.events("ConsentChanged").back().as<identity::v1::ConsentChanged>();
    CHECK(changed.source() == "provider:brevo");
    CHECK_FALSE(changed.granted());

    CHECK(put("true").status == 200); // the person herself may come back
    CHECK(last_snapshot(api, anneke.account).consents(0).granted());
    CHECK(api.call("PUT", "/v1/consents/telepathy", R"({"granted":true})",
                   {.caller = anneke.identity})
              .status == 404);
}

TEST_CASE("nobody changes the consent ledger, not even its owner", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org", R"(["newsletter"])");
    for (const std::string statement :
         {"update consent set granted = false", "delete from consent", "truncate consent"}) {
        CHECK_THROWS_WITH(api.database.query(statement), ContainsSubstring("append-only"));
    }
    CHECK(api.database.value("select granted from consent") == "t");
}

TEST_CASE("an opt-out of somebody who is gone is dropped, one without a name is a bug",
          "[web-api]") {
    web_api_fixture api;
    marketing::v1::MarketingOptedOut opted_out;
    opted_out.set_account_id(account_id::make().text());
    opted_out.set_purpose("newsletter");
    CHECK(consume(api, opted_out, &web_api::record_opt_out));
    opted_out.set_account_id("nobody");
    CHECK(consume(api, opted_out, &web_api::record_opt_out).error().kind == error_kind::invalid);
    CHECK(api.events().empty());
}

TEST_CASE("memberships at the list provider are shown to the person", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org", R"(["newsletter"])");
    marketing::v1::ListMembershipChanged changed;
    changed.set_account_id(anneke.account.text());
    changed.set_list("newsletter");
    const auto shown = [&](bool member) {
        changed.set_member(member);
        CHECK(consume(api, changed, &web_api::record_membership));
        const auto own = api.call("GET", "/v1/accounts/current", "", {.caller = anneke.identity});
        return parse_object(own).at("memberships").as_array().at(0).as_object().at("member");
    };
    CHECK(shown(true) == true);
    CHECK(shown(false) == false);
}

TEST_CASE("the files of an avatar become part of the profile", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto profile = [&] {
        return parse_object(api.call("GET", "/v1/profiles/" + anneke.account.text()));
    };
    CHECK(profile().at("avatar").is_null());
    media::v1::AssetReady ready;
    ready.set_owner_id(anneke.account.text());
    ready.set_asset_id(asset_id::make().text());
    ready.set_purpose("avatar");
    auto& variant = *ready.add_variants();
    variant.set_width(256);
    variant.set_height(128);
    variant.set_content_type("image/webp");
    variant.set_key("avatars/ab/cd.webp");
    std::vector<account_id> forgotten;
    const auto show = [&] {
        const events::event event{.id = event_id::make(), .time = api.time.now()};
        return api.transact([&](pg::transaction& tx) {
            const inbox::context about{.event = event, .now = api.time.now()};
            return web_api::show_avatar(tx, ready, about, log::logger(),
                                        [&](account_id account) { forgotten.push_back(account); });
        });
    };
    CHECK(show());
    CHECK(forgotten == std::vector{anneke.account});
    const auto avatar = profile().at("avatar").as_object();
    CHECK(avatar.at("asset_id") == as_json(ready.asset_id()));
    const auto& shown = avatar.at("variants").as_array().at(0).as_object();
    CHECK(shown.at("url") == "https://media.example/avatars/ab/cd.webp");
    CHECK(shown.at("width") == 256);
    const auto changed = api.events("AvatarChanged");
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].as<identity::v1::AvatarChanged>().asset_id() == ready.asset_id());

    ready.set_purpose("document");
    ready.set_asset_id(asset_id::make().text());
    CHECK(show());
    CHECK(forgotten.size() == 1);
    CHECK(profile().at("avatar").as_object().at("asset_id") == avatar.at("asset_id"));
    ready = {}; // an empty message is not one for another purpose
    const auto refused = show();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "invalid-id");
    CHECK(api.call("GET", "/v1/profiles/" + account_id::make().text()).status == 404);
    CHECK(api.call("GET", "/v1/profiles/me").status == 404);
}
