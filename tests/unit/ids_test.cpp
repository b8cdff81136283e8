#include "ids/encoding.hpp"
#include "ids/id.hpp"
#include "ids/random.hpp"
#include "ids/signed_token.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace relais;
using namespace std::chrono_literals;

TEST_CASE("a UUID's text form is read back", "[ids]") {
    const uuid made = make_uuid_v7();
    const auto parsed = uuid::parse(made.text());
    REQUIRE(parsed);
    CHECK(*parsed == made);
    CHECK(made.text().size() == 36);
}

TEST_CASE("only the 36-character form is a UUID", "[ids]") {
    const auto text = GENERATE(values<std::string>(
        {"", "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911",
         "0190163d86947-39b-aea5-966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad9g",
         "{0190163d-8694-739b-aea5-966c26f8ad9", "0190163d_8694-739b-aea5-966c26f8ad91"}));
    CAPTURE(text);
    const auto parsed = uuid::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().slug == "invalid-id");
}

TEST_CASE("version 7 follows RFC 9562", "[ids]") {
    // The RFC's example (appendix A.6): time 0x017F22E279B0, rand_a 0xCC3, rand_b
    // 0x18C4DC0C0C07398F.
    const std::chrono::sys_time<std::chrono::milliseconds> time{
        std::chrono::milliseconds(0x017F22E279B0)};
    const uuid made = make_uuid_v7(time, 0xCC3, 0x18C4DC0C0C07398F);
    CHECK(made.text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    CHECK(made.time() == time);
}

TEST_CASE("ids of one process ascend", "[ids]") {
    std::vector<uuid> made;
    for (int i = 0; i < 20'000; ++i) {
        made.push_back(make_uuid_v7());
    }
    CHECK(std::ranges::is_sorted(made));
    CHECK(std::ranges::adjacent_find(made) == made.end());
}

TEST_CASE("base64url has one form for each value", "[ids]") {
    CHECK(to_base64url(as_bytes("")) == "");
    CHECK(to_base64url(as_bytes("fo")) == "Zm8");
    CHECK(to_base64url(as_bytes("foobar")) == "Zm9vYmFy");
    const auto back = from_base64url("Zm8");
    REQUIRE(back);
    CHECK(std::string(back->begin(), back->end()) == "fo");
    const auto bad = GENERATE(values<std::string>({"Zm8=", "Zm9", "Z", "Zm+8", "Zm 8"}));
    CAPTURE(bad);
    CHECK_FALSE(from_base64url(bad));
}

TEST_CASE("HMAC-SHA-256 matches RFC 4231 case 2", "[ids]") {
    const auto mac = hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"));
    CHECK(to_hex(mac) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("a signed token proves id, purpose and expiry", "[ids]") {
    const auto key = as_bytes("0123456789abcdef0123456789abcdef");
    const auto other_key = as_bytes("0123456789abcdef0123456789abcdeX");
    const std::chrono::sys_seconds now{1'800'000'000s};
    const token_claims claims{make_uuid_v7(), now + 1h};
    const std::string token = sign_token(key, "email-validation", claims);

    const auto accepted = verify_token(key, "email-validation", token, now);
    REQUIRE(accepted);
    CHECK(*accepted == claims);
    CHECK(sign_token(key, "email-validation", claims) == token);

    CHECK(verify_token(key, "password-reset", token, now).error().slug == "invalid-token");
    CHECK(verify_token(other_key, "email-validation", token, now).error().slug == "invalid-token");
    CHECK(verify_token(key, "email-validation", token, now + 1h).error().slug == "expired-token");
    CHECK(verify_token(key, "email-validation", "", now).error().slug == "invalid-token");
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK_FALSE(verify_token(key, "email-validation", changed, now));
    }
}

TEST_CASE("unique bytes never come twice, not even after a fork", "[ids]") {
    std::set<std::array<std::uint8_t, 16>> seen;
    std::array<std::uint8_t, 16> next{};
    for (int i = 0; i < 5'000; ++i) {
        unique_bytes(next);
        CHECK(seen.insert(next).second);
    }
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const auto child = fork();
    if (child == 0) {
        unique_bytes(next);
        const bool sent = write(ends[1], next.data(), next.size()) == 16;
        _exit(sent ? 0 : 1);
    }
    REQUIRE(child > 0);
    unique_bytes(next);
    std::array<std::uint8_t, 16> of_child{};
    REQUIRE(read(ends[0], of_child.data(), of_child.size()) == 16);
    CHECK(of_child != next);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    std::vector<std::uint8_t> many(5'000);
    unique_bytes(many);
    CHECK(std::ranges::count(many, 0) < 200);
}
