#include "http/identity.hpp"
#include "http/message.hpp"
#include "ids/encoding.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

// The key pair of RFC 8032 §7.1, test 1.
config::secret private_key() {
    const auto raw = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    return config::secret(std::string(raw->begin(), raw->end()));
}

config::secret public_key() {
    const auto raw = from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    return config::secret(std::string(raw->begin(), raw->end()));
}

const timestamp now{std::chrono::seconds(1'800'000'000)};

http::identity someone() {
    http::identity who;
    who.account = account_id::make();
    who.credential_id = "s-1";
    who.roles = {"marketing"};
    who.authenticated_at = std::chrono::sys_seconds(1'799'999'000s);
    return who;
}

} // namespace

TEST_CASE("fields compare names without case and keep order", "[http][message]") {
    http::fields fields;
    fields.add("X-A", "1");
    fields.add("x-a", "2");
    fields.add("B", "3");
    CHECK(fields.find("X-a") == "1");
    CHECK(fields.count("X-A") == 2);
    fields.set("X-A", "4");
    CHECK(fields.all().size() == 2);
    CHECK(fields.find("x-a") == "4");
    fields.remove("b");
    CHECK_FALSE(fields.has("B"));
}

TEST_CASE("query parameters", "[http][message]") {
    http::request request;
    request.query = "a=1&b=x%20y+z&c=%ff&d=1&d=2&e&caf%C3%A9=1";
    CHECK(*request.query_parameter("a") == "1");
    CHECK(*request.query_parameter("b") == "x y z");
    CHECK(*request.query_parameter("e") == "");
    CHECK(*request.query_parameter("caf\xc3\xa9") == "1");
    CHECK_FALSE(*request.query_parameter("nothing"));
    CHECK_FALSE(request.query_parameter("c"));
    CHECK(request.query_parameter("d").error().slug == "repeated-parameter");
}

TEST_CASE("problem documents", "[http][message]") {
    http::request about;
    about.request_id = "r-1";
    const auto conflict =
        http::problem(error{error_kind::conflict, "state-conflict", "assigned", "", {}}, &about);
    CHECK(conflict.status == 409);
    CHECK(conflict.headers.find("content-type") == "application/problem+json");
    CHECK_THAT(
        conflict.body,
        ContainsSubstring(
            R"({"type":"https://relais.example/problems/state-conflict","title":"State conflict","status":409,"detail":"assigned","instance":"r-1","trace_id":")") &&
            !ContainsSubstring("errors"));
    const auto busy =
        http::problem(error{error_kind::unavailable, "db-pool-full", "", "", 1500ms}, nullptr);
    CHECK(busy.status == 503);
    CHECK(busy.headers.find("Retry-After") == "2");
    // Nobody knows how long an outage lasts, but trying again is right.
    const auto down =
        http::problem(error{error_kind::unavailable, "database-down", "", "", {}}, nullptr);
    CHECK(down.headers.find("Retry-After") == "1");
    const auto late = http::problem(error{error_kind::timeout, "slow", "", "", {}}, nullptr);
    CHECK(late.headers.find("Retry-After") == "1");
    const auto known = http::problem(error{error_kind::conflict, "taken", "", "", {}}, nullptr);
    CHECK_FALSE(known.headers.has("Retry-After"));
    const auto bug = http::problem(error{error_kind::internal, "x", "SELECT 1", "", {}}, nullptr);
    CHECK(bug.status == 500);
    CHECK_THAT(bug.body, !ContainsSubstring("SELECT"));
    const auto two = http::problem({error{error_kind::invalid, "too-long", "d", "/a", {}},
                                    error{error_kind::invalid, "wrong-type", "e", "/b", {}}},
                                   nullptr);
    CHECK(two.status == 422);
    CHECK_THAT(two.body, ContainsSubstring(R"({"pointer":"/b","detail":"e","slug":"wrong-type"})"));
}

TEST_CASE("slugs of the protocol have statuses of their own", "[http][message]") {
    const std::vector<std::pair<std::string, int>> statuses{
        {"malformed-json", 400},     {"malformed-request", 400},
        {"method-not-allowed", 405}, {"not-acceptable", 406},
        {"request-timeout", 408},    {"precondition-failed", 412},
        {"uri-too-long", 414},       {"unsupported-media-type", 415},
        {"expectation-failed", 417}, {"precondition-required", 428},
        {"header-too-large", 431},   {"not-implemented", 400},
        {"bad-gateway", 502},        {"version-not-supported", 400},
        {"unknown-method", 501},
    };
    for (const auto& [slug, status] : statuses) {
        CHECK(http::problem(error{error_kind::invalid, slug, "", "", {}}, nullptr).status ==
              status);
    }
}

TEST_CASE("a signed identity is believed, nothing else is", "[http][identity]") {
    const http::identity_signer signer(private_key());
    const http::identity_verifier verifier(public_key());
    const auto who = someone();
    const auto token = signer.sign(who, now, 60s);
    const auto read = verifier.verify(token, now);
    REQUIRE(read);
    CHECK(read->account == who.account);
    CHECK(read->credential_id == "s-1");
    CHECK(read->has_role("marketing"));
    CHECK(read->authenticated_at == who.authenticated_at);

    CHECK(verifier.verify(token, now + 89s));
    CHECK(verifier.verify(token, now + 92s).error().slug == "clocks-disagree");
    CHECK(verifier.verify(token, now - 29s));
    CHECK(verifier.verify(token, now - 32s).error().kind == error_kind::unavailable);
    auto changed = token;
    changed[token.find('.') + 5] ^= 1;
    CHECK_FALSE(verifier.verify(changed, now));
    CHECK_FALSE(verifier.verify(token.substr(0, token.rfind('.') + 1), now));
    CHECK_FALSE(verifier.verify("a.b", now));
    CHECK_FALSE(verifier.verify("", now));
    // alg none, and HS256 signed with the public key: the oldest tricks.
    for (const std::string_view header : {R"({"alg":"none"})", R"({"alg":"HS256"})"}) {
        const auto first = token.find('.');
        CHECK_FALSE(verifier.verify(to_base64url(as_bytes(header)) + token.substr(first), now));
    }
    const config::secret other_key(std::string(32, 'k'));
    CHECK_FALSE(verifier.verify(http::identity_signer(other_key).sign(who, now, 60s), now));
    CHECK_THROWS(http::identity_signer(config::secret("short")));
    CHECK_THROWS(http::identity_verifier(config::secret("short")));
}
