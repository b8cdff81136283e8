#include "notification/channels/base64.hpp"
#include "notification/routes.hpp"
#include "notification/store/webhooks.hpp"
#include "notification/webhooks/webhook_processor.hpp"
#include "notification_rig.hpp"

using namespace relais;
using namespace relais::notification;
using test::notification_rig;
namespace json = boost::json;

namespace {

struct webhook_rig {
    webhook_rig() {
        rig.running.spawn("webhooks", processor.run());
    }

    ~webhook_rig() {
        rig.end_tasks(); // the processor goes before the rig
    }

    webhook_rig(const webhook_rig&) = delete;
    webhook_rig& operator=(const webhook_rig&) = delete;

    int post(const std::string& provider, const json::value& body,
             const std::string& authorization) {
        http::request request;
        request.method = "POST";
        request.body = json::serialize(body);
        request.headers.set("authorization", authorization);
        request.trace = trace::context::start();
        for (const auto& route : table) {
            if (route.path == "/webhooks/" + provider) {
                const auto answer = test::await_on(rig.loop, route.handle(request));
                return answer ? answer->status : http_status(answer.error().kind);
            }
        }
        return 404;
    }

    int mailjet(const json::value& body) {
        return post("mailjet", body, "Basic " + to_base64("mailjet:m-token"));
    }

    void wait_until_done() {
        rig.wait_until("select count(*) from webhook where done_at is null", "0");
    }

    json::object event(const std::string& name, int time) const {
        return {
            {"event", name},          {"time", time},           {"MessageID", 70650219165027410},
            {"email", rig.address},   {"CustomID", "not ours"}, {"error", ""},
            {"error_related_to", ""}, {"hard_bounce", false}};
    }

    notification_rig rig;
    webhook_processor processor{rig.pool,     "notification", config::secret(rig.key),
                                rig.time,     rig.loop,       rig.metrics,
                                log::logger()};
    std::vector<http::route> table =
        routes(rig.pool, {config::secret("m-token"), config::secret("o-token")}, rig.time,
               [this] { boost::asio::post(rig.loop, [this] { processor.wake(); }); });
};

} // namespace

TEST_CASE("a webhook without the token is refused", "[notification]") {
    webhook_rig hooks;
    CHECK(hooks.post("mailjet", json::array(), "Bearer wrong") == 401);
    CHECK(hooks.post("onesignal", json::array(), "Bearer m-token") == 401);
    CHECK(hooks.post("onesignal", json::array(), "Bearer o-token") == 200);
    CHECK(hooks.rig.database.value("select count(*) from webhook") == "1");
}

TEST_CASE("after a hard bounce the address is not written to", "[notification][serial]") {
    webhook_rig hooks;
    auto bounce = hooks.event("bounce", 10);
    bounce["hard_bounce"] = true;
    bounce["error_related_to"] = "recipient";
    bounce["error"] = "user unknown";
    CHECK(hooks.mailjet(json::array{bounce}) == 200);
    hooks.wait_until_done();
    hooks.rig.start();
    hooks.rig.request_validation();
    hooks.rig.wait_until_settled();
    CHECK(hooks.rig.ledger("state") == "skipped");
    CHECK(hooks.rig.ledger("reason") == "suppressed");
    CHECK(hooks.rig.mails().empty());
}

TEST_CASE("after a complaint only security mails are sent", "[notification][serial]") {
    webhook_rig hooks;
    CHECK(hooks.mailjet(hooks.event("spam", 10)) == 200);
    hooks.wait_until_done();
    hooks.rig.start();
    hooks.rig.make_offer();
    hooks.rig.request_validation();
    hooks.rig.wait_until_settled();
    CHECK(hooks.rig.mails().size() == 1);
    CHECK(hooks.rig.database.value("select template from delivery where reason = 'suppressed'") ==
          "offer_made");
}

TEST_CASE("each event counts once, in whatever grouping it comes", "[notification]") {
    webhook_rig hooks;
    auto soft = hooks.event("bounce", 10);
    soft["error_related_to"] = "recipient";
    soft["error"] = "quota exceeded";
    auto later = soft;
    later["time"] = 20;
    CHECK(hooks.mailjet(soft) == 200);
    CHECK(hooks.mailjet(soft) == 200);
    CHECK(hooks.mailjet(json::array{soft, later}) == 200);
    hooks.wait_until_done();
    CHECK(hooks.rig.database.value("select soft_bounces from address_health") == "2");
    CHECK(hooks.mailjet(hooks.event("sent", 30)) == 200);
    hooks.wait_until_done();
    hooks.rig.wait_until("select soft_bounces from address_health", "0");
}

TEST_CASE("an event dated long ago is remembered, too", "[notification]") {
    webhook_rig hooks;
    auto soft = hooks.event("bounce", 10);
    soft["error_related_to"] = "recipient";
    soft["error"] = "quota exceeded";
    CHECK(hooks.mailjet(soft) == 200);
    hooks.wait_until_done();
    hooks.rig.change([&](pg::transaction& tx) -> result<void> {
        sweep(tx, hooks.rig.time.now());
        return {};
    });
    CHECK(hooks.mailjet(json::array{soft}) == 200);
    hooks.wait_until_done();
    CHECK(hooks.rig.database.value("select soft_bounces from address_health") == "1");
}

TEST_CASE("an event of a mail whose call broke off settles it", "[notification]") {
    webhook_rig hooks;
    hooks.rig.request_validation();
    hooks.rig.database.query("update delivery set state = 'ambiguous'");
    auto sent = hooks.event("sent", 10);
    sent["CustomID"] = hooks.rig.ledger("delivery_id");
    CHECK(hooks.mailjet(json::array{sent}) == 200);
    hooks.rig.wait_until_settled();
    CHECK(hooks.rig.ledger("state") == "accepted");
    CHECK(hooks.rig.ledger("feedback") == "delivered");
    CHECK(hooks.rig.settled_events() == "1");
}

TEST_CASE("what is no JSON is kept and marked", "[notification]") {
    webhook_rig hooks;
    http::request request;
    request.body = std::string("{\0\xff", 3);
    request.headers.set("authorization", "Bearer m-token");
    request.trace = trace::context::start();
    const auto answer = test::await_on(hooks.rig.loop, hooks.table.front().handle(request));
    REQUIRE(answer);
    CHECK(answer->status == 200);
    hooks.wait_until_done();
    CHECK(hooks.rig.database.value("select outcome from webhook") == "malformed-json");
}

TEST_CASE("a dead device reported by OneSignal gets no push", "[notification][serial]") {
    webhook_rig hooks;
    CHECK(hooks.post("onesignal",
                     json::object{{"event", "message.push.unsubscribed"},
                                  {"event_id", "e1"},
                                  {"ts", 10},
                                  {"subscription_id", hooks.rig.subscription}},
                     "Bearer o-token") == 200);
    hooks.wait_until_done();
    hooks.rig.start();
    hooks.rig.make_offer();
    hooks.rig.wait_until_settled();
    CHECK(hooks.rig.ledger("reason", "push") == "no-device");
}
