#include "functional/web_api_fixture.hpp"
#include "ids/signed_token.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "relais/identity/v1/contact_snapshots.pb.h"
#include "web-api/domain/email_validation.hpp"

#include <algorithm>

using namespace relais;
using namespace relais::test;
using namespace std::chrono_literals;
namespace identity_events = relais::identity::v1;

namespace {

std::vector<std::string> types(const std::vector<sent_event>& events) {
    std::vector<std::string> all;
    for (const auto& event : events) {
        all.push_back(event.type);
    }
    return all;
}

/// The token that notification derives from the event.
std::string mailed_token(const sent_event& event) {
    const auto requested = event.as<identity_events::EmailValidationRequested>();
    const token_claims claims{
        uuid::parse(requested.validation_id()).value(),
        std::chrono::sys_seconds(std::chrono::seconds(requested.expires_at().seconds()))};
    return sign_token(as_bytes(std::string(32, 'k')), web_api::email_validation_purpose, claims);
}

std::string token_body(const std::string& token) {
    return R"({"token":")" + token + R"("})";
}

} // namespace

TEST_CASE("registering writes the account and its events in one go", "[web-api]") {
    web_api_fixture api;
    const auto person = api.register_person("anneke@example.org", R"(["newsletter"])");
    const auto events = api.events();
    CHECK(types(events) == std::vector<std::string>{"ContactSnapshot", "AccountRegistered",
                                                    "EmailValidationRequested", "ConsentChanged"});
    const auto need = person.account.text() + ":1";
    for (const auto& event : events) {
        CHECK(event.key == person.account.text());
        CHECK(event.needs_contact == (event.type == "ContactSnapshot" ? "" : need));
        const bool has_personal_data =
            event.payload.contains("anneke@") || event.payload.contains("Peeters");
        CHECK(has_personal_data == (event.type == "ContactSnapshot"));
        CHECK_FALSE(event.payload.contains("een lange zin"));
    }
    const auto snapshot = events[0].as<identity_events::ContactSnapshot>();
    CHECK(snapshot.version() == 1);
    CHECK(snapshot.email() == "anneke@example.org");
    CHECK_FALSE(snapshot.email_validated());
    CHECK(snapshot.display_name() == "Anneke Peeters");
    CHECK(snapshot.locale() == "nl");
    REQUIRE(snapshot.consents_size() == 1);
    CHECK(snapshot.consents(0).granted());
    CHECK_FALSE(events[2].expires_at.empty());
    CHECK(api.database.value("select password_hash like '$argon2id$%' from account_core") == "t");
}

TEST_CASE("a known address gets the same answer, and its owner another mail", "[web-api]") {
    web_api_fixture api;
    const auto person = api.register_person("anneke@example.org");
    const auto first = api.events().size();
    const auto again =
        api.call("POST", "/v1/accounts", web_api_fixture::registration("Anneke@Example.org"));
    CHECK(again.status == 202);
    CHECK(again.body == R"({"status":"pending"})");
    const auto events = api.events();
    REQUIRE(events.size() == first + 1);
    CHECK(events.back().type == "RegistrationRepeated");
    CHECK(events.back().needs_contact == person.account.text() + ":1");
    CHECK(api.database.value("select count(*) from account_core") == "1");

    // Who has no link left that works gets a new one.
    api.time.advance(49h);
    api.call("POST", "/v1/accounts", web_api_fixture::registration("anneke@example.org"));
    CHECK(types(api.events()).back() == "EmailValidationRequested");
}

TEST_CASE("of many registrations with one address one makes the account", "[web-api]") {
    web_api_fixture api(8);
    std::vector<http::request> requests;
    for (int i = 0; i < 8; ++i) {
        requests.push_back(api.make_request("POST", "/v1/accounts",
                                            web_api_fixture::registration("same@example.org")));
    }
    for (const auto& answer : api.call_all(std::move(requests))) {
        CHECK(answer.status == 202);
        CHECK(answer.body == R"({"status":"pending"})");
    }
    CHECK(api.database.value("select count(*) from account_core") == "1");
    CHECK(api.events("AccountRegistered").size() == 1);
    CHECK(api.events("RegistrationRepeated").size() == 7);
}

TEST_CASE("what is wrong with a registration is said with a pointer, and nothing is written",
          "[web-api]") {
    web_api_fixture api;

    struct line {
        std::string body;
        int status;
        std::string problem;
    };

    const std::string good = web_api_fixture::registration("a@x.be");
    const auto with = [&](const std::string& member, const std::string& replacement) {
        auto text = good;
        return text.replace(text.find(member), member.size(), replacement);
    };
    const std::vector<line> table{
        {"", 400, "malformed-json "},
        {"[1]", 400, "malformed-json "},
        {"{\"email\":", 400, "malformed-json "},
        {"{\"email\":\"\xff\"}", 400, "malformed-json "},
        {with("a@x.be", "a@x"), 422, "invalid-email /email"},
        {with("\"nl\"", "\"pl\""), 422, "unknown-value /locale"},
        {with("\"nl\"", "7"), 422, "wrong-type /locale"},
        {with("een lange zin", "zin"), 422, "too-short /password"},
        {with("Anneke Peeters", "A\\nB"), 422, "forbidden-character /display_name"},
        {with("Anneke Peeters", "  "), 422, "empty-text /display_name"},
        {with("[]", R"(["telepathy"])"), 422, "unknown-purpose /opt_ins"},
        {with("[]", R"(["newsletter","newsletter"])"), 422, "too-many-elements /opt_ins"},
        {with("\"locale\"", "\"language\""), 422, "missing-member /locale"},
        {with("}", R"(,"roles":["marketing"]})"), 422, "unknown-member /roles"},
    };
    for (const auto& [body, status, problem] : table) {
        const auto answer = api.call("POST", "/v1/accounts", body);
        INFO(body << " → " << answer.body);
        CHECK(answer.status == status);
        CHECK(first_problem(answer) == problem);
    }
    CHECK(api.database.value("select count(*) from account_core") == "0");
    CHECK(api.events().empty());
}

TEST_CASE("a token validates an address once", "[web-api]") {
    web_api_fixture api;
    const auto person = api.register_person("anneke@example.org", R"(["newsletter"])");
    const auto token = mailed_token(api.events("EmailValidationRequested").at(0));
    CHECK(token.size() == 75);
    CHECK(api.call("POST", "/v1/email-validations", token_body(token)).status == 204);
    const auto events = api.events();
    CHECK(events.back().type == "EmailValidated");
    CHECK(events.back().needs_contact == person.account.text() + ":2");
    const auto snapshot =
        api.events("ContactSnapshot").back().as<identity_events::ContactSnapshot>();
    CHECK(snapshot.version() == 2);
    CHECK(snapshot.email_validated());

    const auto again = api.call("POST", "/v1/email-validations", token_body(token));
    CHECK(again.status == 409);
    CHECK(slug_of(again) == "already-used");
    CHECK(api.events().size() == events.size());
}

TEST_CASE("of many uses of one token one counts", "[web-api]") {
    web_api_fixture api(8);
    api.register_person("anneke@example.org");
    const auto token = mailed_token(api.events("EmailValidationRequested").at(0));
    std::vector<http::request> requests;
    for (int i = 0; i < 8; ++i) {
        requests.push_back(api.make_request("POST", "/v1/email-validations", token_body(token)));
    }
    const auto answers = api.call_all(std::move(requests));
    CHECK(std::ranges::count(answers, 204, &http::response::status) == 1);
    CHECK(std::ranges::count(answers, 409, &http::response::status) == 7);
    CHECK(api.events("EmailValidated").size() == 1);
}

TEST_CASE("a token that is bent, foreign or too old is refused", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org");
    const auto token = mailed_token(api.events("EmailValidationRequested").at(0));
    auto bent = token;
    bent[40] = bent[40] == 'A' ? 'B' : 'A';
    const token_claims unknown{make_uuid_v7(),
                               std::chrono::ceil<std::chrono::seconds>(api.time.now() + 1h)};
    const auto foreign =
        sign_token(as_bytes(std::string(32, 'k')), web_api::email_validation_purpose, unknown);
    const auto other_purpose =
        sign_token(as_bytes(std::string(32, 'k')), "password-reset", unknown);
    for (const auto& wrong : {bent, foreign, other_purpose, std::string("x")}) {
        const auto answer = api.call("POST", "/v1/email-validations", token_body(wrong));
        CHECK(answer.status == 422);
        CHECK(first_problem(answer) == "invalid-token /token");
    }
    api.time.advance(48h + 1s);
    const auto late = api.call("POST", "/v1/email-validations", token_body(token));
    CHECK(late.status == 422);
    CHECK(first_problem(late) == "expired-token /token");
    CHECK(api.events("EmailValidated").empty());
}

TEST_CASE("the owner sees the account", "[web-api]") {
    web_api_fixture api;
    const auto person = api.register_person("anneke@example.org", R"(["newsletter"])");
    const auto answer = api.call("GET", "/v1/accounts/current", "", {.caller = person.identity});
    REQUIRE(answer.status == 200);
    const auto account = parse_object(answer);
    CHECK(account.at("email") == "anneke@example.org");
    CHECK(account.at("email_validated") == false);
    CHECK(account.at("consents").as_array().at(0).as_object().at("granted") == true);
}
