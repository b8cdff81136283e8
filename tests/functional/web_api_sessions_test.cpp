#include "functional/web_api_fixture.hpp"
#include "relais/identity/v1/account_events.pb.h"

using namespace relais;
using namespace relais::test;
using namespace std::chrono_literals;

namespace {

std::string credentials(const std::string& email, const std::string& password) {
    return R"({"email":")" + email + R"(","password":")" + password + R"("})";
}

boost::json::object introspect(web_api_fixture& api, const std::string& token) {
    const auto answer =
        api.call("POST", "/internal/v1/introspections", R"({"token":")" + token + R"("})");
    REQUIRE(answer.status == 200);
    return parse_object(answer);
}

struct signed_in {
    web_api_fixture::person person;
    std::string token;
    std::string session_id;
    http::identity identity;
};

signed_in sign_in(web_api_fixture& api, const std::string& email) {
    const auto person = api.register_person(email);
    const auto answer = api.call("POST", "/v1/sessions", credentials(email, "een lange zin"));
    REQUIRE(answer.status == 201);
    const auto body = parse_object(answer);
    CHECK(body.at("account_id") == as_json(person.account.text()));
    CHECK(answer.headers.find("Cache-Control") == "no-store");
    const std::string session(body.at("session_id").as_string());
    return {person,
            std::string(body.at("token").as_string()),
            session,
            {person.account, session, {"member"}, {}}};
}

} // namespace

TEST_CASE("logging in gives a token that only its hash is kept of", "[web-api]") {
    web_api_fixture api;
    const auto self = sign_in(api, "anneke@example.org");
    CHECK(looks_like_token(self.token));
    CHECK(api.database.value("select encode(token_hash, 'hex') from session") ==
          to_hex(sha256(as_bytes(self.token))));
    const auto known = introspect(api, self.token);
    CHECK(known.at("active") == true);
    CHECK(known.at("account_id") == as_json(self.person.account.text()));
    CHECK(known.at("session_id") == as_json(self.session_id));
    CHECK(known.at("roles").as_array().at(0) == "member");
    const auto current = api.call("GET", "/v1/sessions/current", "", {.caller = self.identity});
    CHECK(current.status == 200);
    CHECK(parse_object(current).at("session_id") == as_json(self.session_id));
}

TEST_CASE("a browser gets its token as a cookie that no script sees", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org");
    const auto answer =
        api.call("POST", "/v1/sessions",
                 R"({"email":"anneke@example.org","password":"een lange zin","as_cookie":true})");
    REQUIRE(answer.status == 201);
    CHECK_FALSE(parse_object(answer).contains("token"));
    const std::string cookie(answer.headers.find("Set-Cookie").value_or(""));
    CHECK(cookie.starts_with("__Host-sid=rls_"));
    CHECK(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7776000"));
    const auto token = cookie.substr(11, cookie.find(';') - 11);
    CHECK(introspect(api, token).at("active") == true);
}

TEST_CASE("an unknown address and a wrong password get the same answer", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org");
    const auto wrong = api.call("POST", "/v1/sessions", credentials("anneke@example.org", "nope"));
    const auto unknown =
        api.call("POST", "/v1/sessions", credentials("nobody@example.org", "nope"));
    CHECK(wrong.status == 401);
    CHECK(slug_of(wrong) == "invalid-credentials");
    const auto without_trace = [](const http::response& answer) {
        auto body = parse_object(answer);
        body.erase("trace_id");
        return boost::json::serialize(body);
    };
    CHECK(unknown.status == wrong.status);
    CHECK(without_trace(unknown) == without_trace(wrong));
    CHECK(api.database.value("select count(*) from session") == "0");
}

TEST_CASE("attempts are throttled, known address or not, and a success forgets them", "[web-api]") {
    web_api_fixture api;
    api.register_person("anneke@example.org");
    for (const std::string email : {"anneke@example.org", "nobody@example.org"}) {
        for (int i = 0; i < 10; ++i) {
            CHECK(api.call("POST", "/v1/sessions", credentials(email, "nope")).status == 401);
        }
        const auto refused = api.call("POST", "/v1/sessions", credentials(email, "een lange zin"));
        CHECK(refused.status == 429);
        CHECK(refused.headers.find("Retry-After") == "2");
    }
    api.time.advance(2s);
    const auto good = credentials("anneke@example.org", "een lange zin");
    CHECK(api.call("POST", "/v1/sessions", good).status == 201);
    CHECK(api.call("POST", "/v1/sessions", good).status == 201);
}

TEST_CASE("logging out ends the session and says so", "[web-api]") {
    web_api_fixture api;
    const auto self = sign_in(api, "anneke@example.org");
    const request_options how{.caller = self.identity};
    const auto ended = api.call("DELETE", "/v1/sessions/current", "", how);
    CHECK(ended.status == 204);
    CHECK(ended.headers.find("Set-Cookie").value_or("").starts_with("__Host-sid=; Path=/;"));
    CHECK(introspect(api, self.token).at("active") == false);
    CHECK(api.call("GET", "/v1/sessions/current", "", how).status == 401);
    CHECK(api.call("DELETE", "/v1/sessions/current", "", how).status == 204);
    const auto revoked = api.events("CredentialRevoked");
    REQUIRE(revoked.size() == 1);
    const auto event = revoked[0].as<identity::v1::CredentialRevoked>();
    CHECK(event.credential_id() == self.session_id);
    CHECK(event.account_id() == self.person.account.text());
    CHECK(event.cause() == identity::v1::REVOCATION_CAUSE_LOGOUT);
}

TEST_CASE("a session that is used lives on, but not for ever", "[web-api]") {
    web_api_fixture api;
    const auto self = sign_in(api, "anneke@example.org");
    for (int week = 0; week < 12; ++week) {
        api.time.advance(std::chrono::days(7));
        CHECK(introspect(api, self.token).at("active") == true);
    }
    api.time.advance(std::chrono::days(7));
    CHECK(introspect(api, self.token).at("active") == false);
    const auto idle = sign_in(api, "other@example.org");
    api.time.advance(std::chrono::days(14));
    CHECK(introspect(api, idle.token).at("active") == false);
}

TEST_CASE("an API key stands for itself, with its roles, until it ends", "[web-api]") {
    web_api_fixture api;
    const auto token = "rlk_" + std::string(43, 'a');
    const auto id = make_uuid_v7().text();
    api.database.query("insert into api_key (id, prefix, token_hash, roles, name, created_at, "
                       "expires_at) values ('" +
                       id + "', 'rlk_aaaa', '\\x" + to_hex(sha256(as_bytes(token))) +
                       "', '{marketing,reports}', 'test', now(), "
                       "now() + interval '1 day')");
    const auto known = introspect(api, token);
    CHECK(known.at("active") == true);
    CHECK(known.at("account_id") == as_json(id));
    CHECK(known.at("session_id") == as_json(id));
    CHECK(boost::json::serialize(known.at("roles")) == R"(["marketing","reports"])");
    CHECK(introspect(api, "rlk_" + std::string(43, 'b')).at("active") == false);
    CHECK(introspect(api, "nonsense").at("active") == false);
    api.time.advance(25h);
    CHECK(introspect(api, token).at("active") == false);
    api.database.query("update api_key set expires_at = null");
    CHECK(introspect(api, token).at("active") == true);
    api.database.query("update api_key set revoked_at = now()");
    CHECK(introspect(api, token).at("active") == false);
}
