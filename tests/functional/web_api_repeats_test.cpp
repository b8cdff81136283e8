#include "functional/web_api_fixture.hpp"
#include "relais/marketing/v1/campaign_requests.pb.h"
#include "web-api/consumers/handle.hpp"
#include "web-api/store/housekeeping.hpp"

#include <algorithm>

using namespace relais;
using namespace relais::test;
using namespace std::chrono_literals;

namespace {

const std::string job_body =
    R"({"category":"gardening","locality":"Gent","title":"Haag","description":"Haag",)"
    R"("budget":{"amount_minor":30000,"currency":"EUR"}})";

bool replayed(const http::response& answer) {
    return answer.headers.find("Idempotent-Replayed") == "true";
}

} // namespace

TEST_CASE("a repeat gets the first answer again and does nothing", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const request_options how{.caller = anneke.identity, .idempotency_key = "k-1"};
    const auto first = api.call("POST", "/v1/jobs", job_body, how);
    CHECK(first.status == 201);
    CHECK_FALSE(replayed(first));
    api.time.advance(1h);
    const auto again = api.call("POST", "/v1/jobs", job_body, how);
    CHECK(again.status == 201);
    CHECK(replayed(again));
    CHECK(again.body == first.body);
    CHECK(again.headers.find("Location") == first.headers.find("Location"));
    CHECK(api.database.value("select count(*) from job") == "1");
    CHECK(api.events("JobPublished").size() == 1);
}

TEST_CASE("one key for two requests is refused", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const request_options how{.caller = anneke.identity, .idempotency_key = "k-1"};
    CHECK(api.call("POST", "/v1/jobs", job_body, how).status == 201);
    auto other = job_body;
    other.replace(other.find("30000"), 5, "40000");
    const auto refused = api.call("POST", "/v1/jobs", other, how);
    CHECK(refused.status == 422);
    CHECK(slug_of(refused) == "idempotency-key-reused");
    CHECK(api.call("POST", "/v1/devices",
                   R"({"provider":"onesignal","subscription_id":"s","platform":"web"})", how)
              .status == 422);
    // Somebody else's key is another key.
    const request_options his{.caller = luc.identity, .idempotency_key = "k-1"};
    const auto his_job = api.call("POST", "/v1/jobs", other, his);
    CHECK(his_job.status == 201);
    CHECK_FALSE(replayed(his_job));
}

TEST_CASE("repeats at the same time do the work once", "[web-api]") {
    web_api_fixture api(8);
    const auto anneke = api.register_person("anneke@example.org");
    std::vector<http::request> requests;
    for (int i = 0; i < 8; ++i) {
        requests.push_back(api.make_request("POST", "/v1/jobs", job_body,
                                            {.caller = anneke.identity, .idempotency_key = "k"}));
    }
    const auto answers = api.call_all(std::move(requests));
    CHECK(std::ranges::count(answers, 201, &http::response::status) == 8);
    CHECK(std::ranges::count_if(answers, replayed) == 7);
    CHECK(api.database.value("select count(*) from job") == "1");
}

TEST_CASE("a failure is not kept: the repeat tries again", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const auto job =
        parse_object(api.call("POST", "/v1/jobs", job_body, {.caller = anneke.identity}));
    const auto path = "/v1/jobs/" + std::string(job.at("id").as_string()) + "/offers";
    const std::string body = R"({"amount_minor":1,"currency":"EUR","message":"x"})";
    const request_options how{.caller = luc.identity, .idempotency_key = "k"};
    api.database.query("alter table offer add constraint broken check (amount_minor > 1)");
    CHECK(api.call("POST", path, body, how).status >= 400);
    api.database.query("alter table offer drop constraint broken");
    const auto repeated = api.call("POST", path, body, how);
    CHECK(repeated.status == 201);
    CHECK_FALSE(replayed(repeated));
}

TEST_CASE("anonymous repeats must be the same request, and no password is guessable from them",
          "[web-api]") {
    web_api_fixture api;
    const request_options how{.idempotency_key = "k"};
    const auto body = web_api_fixture::registration("anneke@example.org");
    CHECK_FALSE(replayed(api.call("POST", "/v1/accounts", body, how)));
    CHECK(replayed(api.call("POST", "/v1/accounts", body, how)));
    const auto other = web_api_fixture::registration("luc@example.org");
    const auto his = api.call("POST", "/v1/accounts", other, how);
    CHECK(his.status == 202);
    CHECK_FALSE(replayed(his));
    CHECK(api.events("RegistrationRepeated").empty());
    const auto plain = to_hex(sha256(as_bytes("POST /v1/accounts?\n" + body)));
    CHECK(api.database.value("select count(*) from idempotency_key where request_fingerprint = '" +
                             plain + "'") == "0");
}

TEST_CASE("a key that is none is refused", "[web-api]") {
    web_api_fixture api;
    const auto body = web_api_fixture::registration("anneke@example.org");
    for (const auto& key : {std::string(256, 'k'), std::string("two words")}) {
        const auto answer = api.call("POST", "/v1/accounts", body, {.idempotency_key = key});
        CHECK(answer.status == 422);
        CHECK(first_problem(answer) == "invalid-idempotency-key /header/idempotency-key");
    }
    CHECK(api.database.value("select count(*) from account_core") == "0");
}

TEST_CASE("a campaign is requested here and shows what becomes of it", "[web-api]") {
    web_api_fixture api;
    const auto key = api_key_id::make();
    const http::identity caller{account_id(key.value()), key.text(), {"marketing"}, {}};
    const auto requested = api.call(
        "POST", "/v1/campaigns",
        R"({"name":"Spring","audience":{"list":"newsletter","locale":"nl"},"template":"spring"})",
        {.caller = caller});
    REQUIRE(requested.status == 202);
    const std::string id(parse_object(requested).at("id").as_string());
    const auto event = api.events("CampaignRequested").at(0).as<marketing::v1::CampaignRequested>();
    CHECK(event.campaign_id() == id);
    CHECK(event.locale() == "nl");
    CHECK(event.requested_by() == key.text());

    const auto progress = [&](marketing::v1::CampaignState state, std::uint64_t sent) {
        marketing::v1::CampaignProgressed progressed;
        progressed.set_campaign_id(id);
        progressed.set_state(state);
        progressed.set_audience(3);
        progressed.set_sent(sent);
        api.time.advance(1s);
        const events::event around{.id = event_id::make(), .time = api.time.now()};
        return api.transact([&](pg::transaction& tx) {
            const inbox::context about{.event = around, .now = api.time.now()};
            return web_api::record_campaign_progress(tx, progressed, about, log::logger());
        });
    };
    CHECK(progress(marketing::v1::CAMPAIGN_STATE_ACCEPTED, 0));
    CHECK(progress(marketing::v1::CAMPAIGN_STATE_SENDING, 1));
    CHECK(progress(marketing::v1::CAMPAIGN_STATE_SENDING, 2));
    CHECK(progress(marketing::v1::CAMPAIGN_STATE_SENT, 3));
    CHECK_FALSE(progress(marketing::v1::CAMPAIGN_STATE_UNSPECIFIED, 3));
    const auto shown = parse_object(api.call("GET", "/v1/campaigns/" + id, "", {.caller = caller}));
    CHECK(shown.at("state") == "sent");
    CHECK(shown.at("counts").as_object().at("sent") == 3);
    std::vector<std::string> states;
    for (const auto& step : shown.at("history").as_array()) {
        states.emplace_back(step.as_object().at("state").as_string());
    }
    CHECK(states == std::vector<std::string>{"requested", "accepted", "sending", "sent"});
    CHECK(api.call("GET", "/v1/campaigns/" + campaign_id::make().text(), "", {.caller = caller})
              .status == 404);
}

TEST_CASE("what nobody can use any more is deleted, the rest stays", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org");
    const std::string login = R"({"email":"anneke@example.org","password":"een lange zin"})";
    CHECK(api.call("POST", "/v1/sessions", login).status == 201);
    api.call("POST", "/v1/sessions", R"({"email":"x@example.org","password":"nope"})");
    const auto sweep = [&] {
        return api.transact([&](pg::transaction& tx) -> result<std::size_t> {
            return web_api::store::delete_outdated(tx, api.time.now(), 100);
        });
    };
    CHECK(sweep().value() == 0);
    api.time.advance(std::chrono::days(2));
    CHECK(sweep().value() == 1); // the counter of attempts
    api.time.advance(std::chrono::days(40));
    CHECK(sweep().value() == 1); // the validation
    api.time.advance(std::chrono::days(90));
    CHECK(sweep().value() == 1); // the session
}
