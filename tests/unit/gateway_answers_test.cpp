#include "gateway/answers/answer_shaper.hpp"
#include "gateway/routing/route_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string text_of(const answer_head& head) {
    std::string out;
    for (const auto& [name, value] : head.fields) {
        out += fmt::format("{}: {}\n", name, value);
    }
    return out;
}

answer_head head_with(std::vector<http::field_view> fields) {
    answer_head out;
    out.status = 200;
    out.fields = std::move(fields);
    return out;
}

cors_rules::settings cors_of(std::vector<std::string> origins) {
    cors_rules::settings out;
    out.origins = std::move(origins);
    out.methods = {"GET", "PUT"};
    return out;
}

constexpr const char* upstream = R"(
upstream { name: "api" url_variable: "API_URL" default_url: "http://127.0.0.1:1" }
)";

std::string route_text(std::string_view rest) {
    return fmt::format(R"(route {{ prefix: "/a" upstream: "api" credentials: CREDENTIALS_EXCHANGE
                           deadline_ms: 100 body_max_bytes: 10 {} }})",
                       rest);
}

} // namespace

TEST_CASE("fields of answers are replaced, added where missing, removed", "[gateway]") {
    field_rules rules;
    rules.set("Cache-Control", "no-store");
    rules.add_missing("X-Frame-Options", "DENY");
    rules.add_missing("Referrer-Policy", "no-referrer");
    rules.remove("X-Powered-By");
    auto plain = head_with({{"cache-control", "max-age=5"},
                            {"x-frame-options", "SAMEORIGIN"},
                            {"x-powered-by", "PHP"},
                            {"X-Powered-Bz", "kept"}});
    rules.apply(plain);
    CHECK(text_of(plain) == "x-frame-options: SAMEORIGIN\nX-Powered-Bz: kept\n"
                            "Cache-Control: no-store\nReferrer-Policy: no-referrer\n");
}

TEST_CASE("the later of two sets of fields wins", "[gateway]") {
    field_rules first;
    first.use_security_preset();
    field_rules second;
    second.set("x-frame-options", "SAMEORIGIN");
    second.remove("Referrer-Policy");
    first.add(second);
    auto head = head_with({{"Referrer-Policy", "origin"}});
    first.apply(head);
    CHECK_THAT(text_of(head), ContainsSubstring("X-Content-Type-Options: nosniff\n") &&
                                  ContainsSubstring("x-frame-options: SAMEORIGIN\n") &&
                                  !ContainsSubstring("DENY") && !ContainsSubstring("Referrer"));
}

TEST_CASE("which origins are allowed", "[gateway]") {
    const cors_rules rules(
        cors_of({"https://app.example", "https://*.shop.example", "http://localhost:3000"}));
    for (const char* yes : {"https://app.example", "https://a.shop.example",
                            "https://a.b.shop.example", "http://localhost:3000"}) {
        CHECK(rules.allows(yes));
    }
    for (const char* no :
         {"", "null", "*", "http://app.example", "https://app.example:8443", "https://app.example.",
          "https://shop.example", "https://.shop.example.evil", "https://evilshop.example",
          "https://.shop.example", "https://evil.test/.shop.example", "https://a@b.shop.example",
          "https://A.shop.example", "http://a.shop.example", "https://a.shop.example:1",
          "http://localhost"}) {
        CAPTURE(no);
        CHECK_FALSE(rules.allows(no));
    }
}

TEST_CASE("what an answer to another origin says", "[gateway]") {
    auto given = cors_of({"https://app.example"});
    given.credentials = true;
    given.exposed_headers = {"X-Total", "Link"};
    const cors_rules rules(given);
    auto allowed = head_with({{"access-control-allow-origin", "*"}, {"A", "b"}});
    rules.apply("https://app.example", allowed);
    CHECK(text_of(allowed) == "A: b\nVary: Origin\n"
                              "Access-Control-Allow-Origin: https://app.example\n"
                              "Access-Control-Allow-Credentials: true\n"
                              "Access-Control-Expose-Headers: X-Total, Link\n");
    auto refused = head_with({{"Access-Control-Allow-Origin", "*"}});
    rules.apply("", refused);
    CHECK(text_of(refused) == "Vary: Origin\n");
    auto anybody = head_with({});
    const cors_rules for_all(cors_of({"*"}));
    for_all.apply("https://x.example", anybody);
    CHECK(text_of(anybody) == "Access-Control-Allow-Origin: *\n");
}

TEST_CASE("what the answer to a preflight says", "[gateway]") {
    auto given = cors_of({"https://app.example"});
    given.request_headers = {"Authorization", "Content-Type"};
    given.max_age = std::chrono::seconds(600);
    const cors_rules rules(given);
    auto listed = head_with({});
    rules.apply_preflight("https://app.example", "x-odd", listed);
    CHECK(text_of(listed) ==
          "Access-Control-Allow-Origin: https://app.example\n"
          "Access-Control-Allow-Methods: GET, PUT\n"
          "Access-Control-Allow-Headers: Authorization, Content-Type\n"
          "Access-Control-Max-Age: 600\n"
          "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\n");
    given.request_headers = {"*"};
    const cors_rules any_field(given);
    auto asked = head_with({});
    any_field.apply_preflight("https://app.example", "x-odd,authorization", asked);
    CHECK_THAT(text_of(asked),
               ContainsSubstring("Access-Control-Allow-Headers: x-odd,authorization\n"));
    auto wrong = head_with({});
    any_field.apply_preflight("https://app.example", "x odd", wrong);
    CHECK_THAT(text_of(wrong), !ContainsSubstring("Allow-Headers"));
}

TEST_CASE("everything wrong with rules for answers is said at once", "[gateway]") {
    config::reader from({});
    read_route_table(upstream + route_text(R"(response_headers: "gone" cors: "none")") + R"(
response_headers { name: "odd" set { name: "Content-Length" value: "1" }
                   set { name: "A" value: "x\r\ny" } remove: "b c" }
response_headers { name: "odd" }
cors { name: "wide" origin: "*" origin: "HTTPS://x" credentials: true max_age_s: 100000 }
cors { name: "empty" method: "GE T" }
compression { name: "odd" type: "text" }
static_root { name: "odd" directory: "relative" index: "a/b" fallback: "../x" }
route { prefix: "/s" static_root: "odd" method: "PUT" }
)",
                     from);
    const auto all = fmt::format("{}", fmt::join(from.problems(), "\n"));
    for (const char* problem :
         {R"(no response_headers "gone")", R"(no cors "none")", R"("Content-Length" is no field)",
          "the value of A", R"("b c" is no field)", "stands twice", "stands alone",
          R"(origin "HTTPS://x")", "credentials need named origins", "max_age_s is at most",
          R"(compression "odd": type)", R"("relative" is no directory)", "index is the name",
          R"("../x" is no path below)", "answers GET and HEAD", "no origin is named",
          R"("GE T" is no name)"}) {
        CHECK_THAT(all, ContainsSubstring(problem));
    }
}

TEST_CASE("Strict-Transport-Security has one place, and every other names it", "[gateway]") {
    const auto* const way =
        GENERATE("hsts_max_age_s: 60", "hsts_include_subdomains: true", "hsts_preload: true",
                 R"(set { name: "strict-transport-security" value: "max-age=1" })",
                 R"(add_missing { name: "Strict-Transport-Security" value: "max-age=1" })",
                 R"(remove: "Strict-Transport-Security")");
    CAPTURE(way);
    config::reader from({});
    read_route_table(upstream + route_text(R"(response_headers: "odd")") +
                         fmt::format("response_headers {{ name: \"odd\" {} }}", way),
                     from);
    const auto all = fmt::format("{}", fmt::join(from.problems(), "\n"));
    CHECK_THAT(all, ContainsSubstring("response_headers \"odd\"") &&
                        ContainsSubstring("listener { … strict_transport_security { max_age_s: "));
}
