#include "ids/signed_token.hpp"
#include "notification_rig.hpp"

#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::notification;
using namespace std::chrono_literals;
using test::notification_rig;
namespace json = boost::json;

namespace {

constexpr auto send_route = "^POST /v3.1/send";

json::object mailjet_fault(std::string kind, int times = 1) {
    return {{"provider", "mailjet"}, {"route", send_route}, {"fault", kind}, {"times", times}};
}

/// One row claimed by a sender that then dies.
void claim_and_die(notification_rig& rig) {
    rig.change([&](pg::transaction& tx) -> result<void> {
        REQUIRE(claim_due(tx, channel::mail, 10, rig.time.now(), 300ms).size() == 1);
        return {};
    });
}

} // namespace

TEST_CASE("one mail per event, in the person's language, with a token that proves the address",
          "[notification][serial]") {
    notification_rig rig;
    rig.start();
    const auto cause = rig.validation_event();
    const auto known = rig.validation_facts();
    rig.tell(cause, "validate_email", known);
    rig.tell(cause, "validate_email", known); // the event again
    rig.wait_until_settled();
    const auto mails = rig.mails();
    REQUIRE(mails.size() == 1);
    const auto& mail = mails.front().as_object();
    CHECK(mail.at("subject").as_string() == "Bevestig je e-mailadres voor Relais");
    CHECK(mail.at("language").as_string() == "nl");
    CHECK(mail.at("custom_id").as_string() == rig.ledger("delivery_id"));
    CHECK(mail.at("headers").as_object().at("Auto-Submitted").as_string() == "auto-generated");

    const std::string text(mail.at("text").as_string());
    const std::string link = "http://relais.test/validate?token=";
    const auto begin = text.find(link);
    REQUIRE(begin != std::string::npos);
    const auto token =
        text.substr(begin + link.size(), text.find('\n', begin) - begin - link.size());
    const auto now = std::chrono::floor<std::chrono::seconds>(rig.time.now());
    const auto claims = verify_token(as_bytes(rig.key), "email-validation", token, now);
    REQUIRE(claims);
    CHECK(claims->id == rig.validation);
    CHECK(std::string(mail.at("html").as_string()).find(token) != std::string::npos);

    CHECK(rig.ledger("state") == "accepted");
    CHECK(rig.ledger("attempts") == "1");
    CHECK(rig.ledger("provider") == "mailjet");
    CHECK(rig.ledger("provider_message_id") == mail.at("provider_id").as_string());
    CHECK(rig.ledger("template_version") == rig.templates.version());
    CHECK(rig.settled_events() == "1");
    // The token is nowhere kept.
    CHECK(rig.database.value("select count(*) from delivery d where d::text like '%" + token +
                             "%'") == "0");
}

TEST_CASE("whatever the mail provider does, one mail", "[notification][serial]") {
    const auto script = GENERATE(
        json::object{{"fault", "reset_before"}}, json::object{{"fault", "reset_after"}},
        json::object{{"fault", "reset_after"}, {"close", "fin"}},
        json::object{{"fault", "status"}, {"status", 500}},
        json::object{{"fault", "status"}, {"status", 500}, {"process", true}},
        json::object{{"fault", "status"},
                     {"status", 500},
                     {"body", json::object{{"ErrorIdentifier", "x"}, {"StatusCode", 500}}}},
        json::object{
            {"fault", "status"}, {"status", 429}, {"headers", json::object{{"Retry-After", "1"}}}},
        json::object{
            {"fault", "status"}, {"status", 503}, {"headers", json::object{{"Retry-After", "1"}}}},
        json::object{{"fault", "html_error"}}, json::object{{"fault", "truncated_json"}},
        json::object{{"fault", "truncated_body"}},
        json::object{{"fault", "delay_ms"}, {"delay_ms", 3200}});
    CAPTURE(json::serialize(script));
    notification_rig rig;
    auto fault = mailjet_fault("");
    for (const auto& member : script) {
        fault[member.key()] = member.value();
    }
    rig.fault(fault);
    rig.start();
    rig.request_validation();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("state") == "accepted");
    CHECK(rig.ledger("provider_message_id") != "<null>");
    CHECK(rig.settled_events() == "1");
    const auto faults = test::await_on(rig.loop, rig.sandbox.get("/faults"));
    CHECK(faults.as_array().front().as_object().at("applied").as_int64() == 1);
}

TEST_CASE("the wall clock is set while a provider is slow: one mail", "[notification][serial]") {
    const auto jump = GENERATE(std::chrono::hours(1), std::chrono::hours(-1));
    CAPTURE(jump.count());
    notification_rig rig;
    auto fault = mailjet_fault("delay_ms");
    fault["delay_ms"] = 2500; // longer than all look-ups together, shorter than the call may take
    rig.fault(fault);
    rig.start();
    rig.request_validation();
    rig.wait_until("select state from delivery where channel = 'mail'", "sending");
    rig.time.advance(jump);
    rig.wake();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("state") == "accepted");
    CHECK(rig.ledger("look_ups") == "0");
    CHECK(rig.ledger("resends") == "0");
}

TEST_CASE("the wall clock is set back while a mail waits: it is sent soon",
          "[notification][serial]") {
    notification_rig rig;
    auto fault = mailjet_fault("status");
    fault["status"] = 500;
    fault["body"] = json::object{{"ErrorIdentifier", "x"}, {"StatusCode", 500}};
    rig.fault(fault);
    rig.policy.errors.first = 5min;
    rig.start();
    rig.request_validation();
    rig.wait_until("select state || attempts from delivery where channel = 'mail'", "pending1");
    rig.time.advance(-1h);
    rig.wake();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
}

TEST_CASE("being asked to wait costs no attempt", "[notification][serial]") {
    notification_rig rig;
    auto fault = mailjet_fault("status", 2);
    fault["status"] = 429;
    fault["headers"] = json::object{{"Retry-After", "1"}};
    rig.fault(fault);
    rig.start();
    rig.request_validation();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("attempts") == "1");
    CHECK(rig.ledger("deferrals") == "2");
}

TEST_CASE("of a batch only what was refused is lost", "[notification][serial]") {
    notification_rig rig;
    const auto good = rig.address;
    for (int i = 0; i < 2; ++i) {
        rig.account = account_id::make();
        rig.address = i == 0 ? "refused-" + good : "second-" + good;
        rig.save_person();
        rig.request_validation();
    }
    auto fault = mailjet_fault("partial");
    fault["recipients"] = json::array{"refused-" + good};
    rig.fault(fault);
    rig.start(); // all of them are due: one call
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.database.value("select count(*) from delivery where state = 'accepted'") == "1");
    CHECK(rig.database.value("select reason from delivery where state = 'failed'") ==
          "mailjet-mj-0013");
    CHECK(rig.settled_events() == "2");
    const auto journal = test::await_on(
        rig.loop, rig.sandbox.get("/journal?provider=mailjet&method=POST&path=/v3.1/send"));
    CHECK(json::serialize(journal.as_array().back().as_object().at("body")).find("second-") !=
          std::string::npos);
}

TEST_CASE("a sender that died between intent and call: one mail", "[notification][serial]") {
    notification_rig rig;
    rig.request_validation();
    claim_and_die(rig);
    CHECK(rig.ledger("state") == "sending");
    CHECK(rig.ledger("attempts") == "1");
    rig.start();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("resends") == "1");
}

TEST_CASE("a sender that died between call and record: one mail", "[notification][serial]") {
    notification_rig rig;
    rig.request_validation();
    std::vector<claimed_delivery> rows;
    rig.change([&](pg::transaction& tx) -> result<void> {
        rows = claim_due(tx, channel::mail, 10, rig.time.now(), 300ms);
        return {};
    });
    REQUIRE(rows.size() == 1);
    std::vector<outgoing> batch;
    batch.push_back(rig.composer.compose(rows.front(), rig.time.now()).value());
    const auto sent = test::await_on(rig.loop, rig.mail_channel->send(std::move(batch)));
    REQUIRE(sent.front().result == send_result::accepted);
    rig.start();
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("resends") == "0");
    CHECK(rig.ledger("provider_message_id") == sent.front().provider_message_id);
    CHECK(rig.settled_events() == "1");
}

TEST_CASE("a late outcome of a lost claim is not written, unless the mail was accepted",
          "[notification][serial]") {
    notification_rig rig;
    rig.request_validation();
    std::vector<claimed_delivery> first;
    rig.change([&](pg::transaction& tx) -> result<void> {
        first = claim_due(tx, channel::mail, 10, rig.time.now(), 0ms);
        const auto second = claim_due(tx, channel::mail, 10, rig.time.now() + 1s, 10s);
        REQUIRE(second.size() == 1);
        CHECK(second.front().ambiguous);
        CHECK(second.front().fence == first.front().fence + 1);
        delivery_change failed;
        failed.state = delivery_state::failed;
        CHECK_FALSE(record(tx, first.front(), failed, "notification", rig.time.now()));
        delivery_change accepted;
        accepted.state = delivery_state::accepted;
        CHECK(record(tx, first.front(), accepted, "notification", rig.time.now()));
        CHECK_FALSE(record(tx, second.front(), failed, "notification", rig.time.now()));
        return {};
    });
    CHECK(rig.ledger("state") == "accepted");
    CHECK(rig.settled_events() == "1");
}

TEST_CASE("a refused key closes the channel, keeps the mails and calls for help",
          "[notification][serial]") {
    notification_rig rig;
    rig.fault({{"provider", "mailjet"},
               {"route", send_route},
               {"fault", "status"},
               {"status", 401},
               {"times", 2}});
    rig.start();
    rig.request_validation();
    rig.wait_until("select deferrals > 0 from delivery", "t");
    CHECK(rig.metrics.serialize().find("notification_channel_refused{channel=\"mail\","
                                       "provider=\"mailjet\"} 1") != std::string::npos);
    rig.wait_until_settled();
    CHECK(rig.mails().size() == 1);
    CHECK(rig.ledger("attempts") == "1");
}

TEST_CASE("who is gone or must not be written to gets nothing", "[notification][serial]") {
    notification_rig rig;
    SECTION("an address that was not proven gets no news, but the mail that proves it") {
        rig.save_person(false, "de-AT");
        rig.make_offer();
        rig.request_validation();
        rig.start();
        rig.wait_until_settled();
        const auto mails = rig.mails();
        REQUIRE(mails.size() == 1);
        CHECK(mails.front().as_object().at("language").as_string() == "de");
        CHECK(rig.database.value("select reason from delivery where state = 'skipped'"
                                 " and channel = 'mail'") == "address-not-validated");
    }
    SECTION("an erased person") {
        rig.request_validation();
        rig.change([&](pg::transaction& tx) -> result<void> {
            erase_contact(tx, rig.account);
            skip_deliveries_of(tx, rig.account, "notification", rig.time.now());
            return {};
        });
        CHECK(rig.ledger("reason") == "erased");
        CHECK(rig.settled_events() == "1");
    }
    SECTION("a mail that comes too late") {
        const auto known = rig.validation_facts();
        rig.tell(rig.validation_event(), "validate_email", known, rig.time.now() - 1s);
        rig.start();
        rig.wait_until_settled();
        CHECK(rig.ledger("state") == "skipped");
        CHECK(rig.ledger("reason") == "expired");
        CHECK(rig.mails().empty());
    }
}
