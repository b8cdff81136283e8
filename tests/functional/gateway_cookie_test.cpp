#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using test::origin_server;
using test::request_text;

namespace {

struct rig {
    origin_server origin;
    test::gateway_process gateway{fmt::format(R"(
cookie_sessions {{ trusted_origin: "https://app.example" }}
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE cookie_sessions: true
        deadline_ms: 10000 body_max_bytes: 1000 }}
route {{ prefix: "/v1/echo" method: "DELETE" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE
        deadline_ms: 10000 body_max_bytes: 1000 }}
)",
                                              origin.port())};

    std::string ask(const std::string& method, const std::string& fields) const {
        test::raw_client client(gateway.port());
        client.send(request_text(method, "/v1/echo", fields));
        return client.read_answer();
    }
};

} // namespace

TEST_CASE("a session cookie says who asks, and stays at the gateway", "[gateway]") {
    const rig with;
    const auto answer = with.ask("GET", "Cookie: theme=dark; __Host-sid=good\r\n");
    CHECK_THAT(answer, ContainsSubstring("X-Relais-Identity: "));
    CHECK_THAT(answer, ContainsSubstring("theme=dark"));
    CHECK_THAT(answer, !ContainsSubstring("__Host-sid"));
    // A field of its own is the more explicit one.
    CHECK_THAT(with.ask("GET", "Authorization: Bearer bad\r\nCookie: __Host-sid=good\r\n"),
               ContainsSubstring("invalid-token"));
}

TEST_CASE("a session that ended keeps nobody from beginning another", "[gateway]") {
    const rig with;
    const auto answer = with.ask("POST", "Cookie: __Host-sid=bad\r\n"
                                         "Sec-Fetch-Site: same-origin\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK_THAT(answer, !ContainsSubstring("X-Relais-Identity: "));
}

TEST_CASE("a cookie is not believed where the route does not say so", "[gateway]") {
    const rig with;
    const auto answer = with.ask("DELETE", "Cookie: a=1; __Host-sid=good\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK_THAT(answer, !ContainsSubstring("X-Relais-Identity: "));
    CHECK_THAT(answer, !ContainsSubstring("__Host-sid"));
}

TEST_CASE("other people's pages cannot use the cookie", "[gateway]") {
    const rig with;
    const std::string cookie = "Cookie: __Host-sid=good\r\n";
    for (const std::string site :
         {"Sec-Fetch-Site: cross-site\r\n", "Origin: https://evil.example\r\n", ""}) {
        const auto answer = with.ask("POST", cookie + site);
        CHECK(answer.starts_with("HTTP/1.1 403"));
        CHECK_THAT(answer, ContainsSubstring("cross-site"));
    }
    CHECK(with.origin.introspections() == 0);
    CHECK(with.ask("POST", cookie + "Sec-Fetch-Site: same-origin\r\n").starts_with("HTTP/1.1 200"));
    CHECK(with.ask("POST", cookie + "Origin: https://app.example\r\n").starts_with("HTTP/1.1 200"));
    CHECK(with.ask("GET", cookie + "Sec-Fetch-Site: cross-site\r\n").starts_with("HTTP/1.1 200"));
    CHECK(with.gateway.wait_for_log(R"("error_reason":"cross_site")"));
}
