#include "ids/encoding.hpp"
#include "web-api/domain/consent.hpp"
#include "web-api/domain/credential.hpp"
#include "web-api/domain/login_throttle.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::web_api;
using namespace std::chrono_literals;

TEST_CASE("a token is its random bytes in 43 characters", "[web-api]") {
    std::array<std::uint8_t, 32> bytes{};
    CHECK(make_token("rls_", bytes) == "rls_" + std::string(43, '0'));
    bytes[31] = 61;
    CHECK(make_token("rls_", bytes) == "rls_" + std::string(42, '0') + "z");
    bytes[31] = 62;
    CHECK(make_token("rlk_", bytes) == "rlk_" + std::string(41, '0') + "10");
    bytes.fill(0xFF);
    const auto highest = make_token("rls_", bytes);
    CHECK(highest.size() == 47);
    CHECK(looks_like_token(highest));
    CHECK(to_hex(token_hash("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("only what has the form of a token is looked up", "[web-api]") {
    const std::string good(43, 'a');
    CHECK(looks_like_token("rls_" + good));
    CHECK(looks_like_token("rlk_" + good));
    CHECK_FALSE(looks_like_token("rlx_" + good));
    CHECK_FALSE(looks_like_token("rls_" + good + "a"));
    CHECK_FALSE(looks_like_token("rls_" + std::string(42, 'a')));
    CHECK_FALSE(looks_like_token("rls_" + std::string(42, 'a') + "-"));
    CHECK_FALSE(looks_like_token(""));
}

TEST_CASE("a session ends two weeks after its last use and three months after its start",
          "[web-api]") {
    const timestamp start{};
    auto life = session_life::begin(start);
    CHECK(life.expires_at() == start + std::chrono::days(14));
    CHECK_FALSE(life.worth_touching(start + 59min));
    CHECK(life.worth_touching(start + 60min));
    life.last_seen_at = start + std::chrono::days(80);
    CHECK(life.expires_at() == start + std::chrono::days(90));
}

TEST_CASE("ten attempts are free, then each waits longer, never for good", "[web-api]") {
    timestamp now{std::chrono::hours(1'000'000)};
    login_attempts attempts{0, now};
    for (unsigned i = 0; i < free_login_attempts; ++i) {
        const auto counted = count_attempt(attempts, now);
        REQUIRE(counted);
        attempts = *counted;
    }
    CHECK(attempts.count == free_login_attempts);
    std::chrono::seconds wait = 2s;
    for (int i = 0; i < 12; ++i) {
        const auto early = count_attempt(attempts, now + wait - 1ms);
        REQUIRE_FALSE(early);
        CHECK(early.error().kind == error_kind::rate_limited);
        CHECK(early.error().retry_after == 1s);
        now += wait;
        const auto counted = count_attempt(attempts, now);
        REQUIRE(counted);
        attempts = *counted;
        if (attempts.count == 1) {
            return; // waited so long that all is forgotten
        }
        wait *= 2;
        wait = std::min<std::chrono::seconds>(wait, 15min);
    }
    FAIL("the wait never reached the quarter of an hour after which attempts are forgotten");
}

TEST_CASE("attempts are forgotten after a quarter of an hour without one", "[web-api]") {
    const timestamp now{std::chrono::hours(1'000'000)};
    const auto counted = count_attempt({25, now - 15min}, now);
    REQUIRE(counted);
    CHECK(counted->count == 1);
}

TEST_CASE("an opt-out always wins, a yes comes from the person only", "[web-api]") {
    using enum consent_source;

    struct line {
        std::optional<bool> holds;
        bool granted;
        consent_source source;
        std::string wanted; ///< "row", "nothing" or the slug
    };

    const std::vector<line> table{
        {std::nullopt, true, registration, "row"},
        {std::nullopt, false, preferences, "row"},
        {std::nullopt, false, provider, "row"},
        {true, false, provider, "row"},
        {true, false, preferences, "row"},
        {false, true, preferences, "row"},
        {false, false, provider, "nothing"},
        {true, true, preferences, "nothing"},
        {std::nullopt, true, provider, "consent-needs-the-person"},
        {false, true, provider, "consent-needs-the-person"},
    };
    for (const auto& [holds, granted, source, wanted] : table) {
        const auto decided = is_new_consent({"newsletter", granted, source}, holds);
        const std::string got = !decided ? decided.error().slug : *decided ? "row" : "nothing";
        CHECK(got == wanted);
    }
    CHECK(is_new_consent({"telepathy", true, preferences}, {}).error().slug == "unknown-purpose");
    CHECK(purposes_of_opt_out("*") == consent_purposes());
    CHECK(purposes_of_opt_out("newsletter") == std::vector<std::string>{"newsletter"});
    CHECK(purposes_of_opt_out("telepathy").empty());
    CHECK(source_text(provider, "brevo") == "provider:brevo");
}
