#include "gateway/exchange/heads.hpp"
#include "gateway/exchange/request_facts.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;

namespace {

http::request_head request(const std::string& text) {
    http::request_head head;
    const auto parsed = http::parse_request_head(text, {}, head);
    REQUIRE(parsed);
    REQUIRE(*parsed == text.size());
    return head;
}

forwarding known() {
    forwarding about;
    about.service = "web-api";
    about.client_address = "192.0.2.7";
    about.request_id = "our-id";
    about.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    about.identity = "signed";
    about.deadline = std::chrono::milliseconds(900);
    return about;
}

std::string request_head_for_upstream(const http::request_head& head, const forwarding& about) {
    std::string out;
    write_request_head(head, about, out);
    return out;
}

/// The head of this answer as a client that asked so gets it.
std::string for_client(const std::string& text, std::string_view method, int version_minor,
                       bool keep_alive) {
    http::response_head answer;
    const auto parsed = http::parse_response_head(text, {}, method, answer);
    REQUIRE(parsed);
    answer_head head;
    take_answer_head(answer, "our-id", "Mon, 23 Nov 2026 06:46:44 GMT", head);
    std::string out;
    write_answer_head(head, method, version_minor, keep_alive, out);
    return out;
}

std::string lower(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

} // namespace

TEST_CASE("a request without a Host goes on to the service by its name", "[gateway]") {
    const std::string text = "GET / HTTP/1.0\r\n\r\n";
    const auto written = request_head_for_upstream(request(text), known());
    CHECK(written.starts_with("GET / HTTP/1.1\r\nHost: web-api\r\n"));
    CHECK(written.find("X-Forwarded-Host") == std::string::npos);
    http::request_head again;
    CHECK(http::parse_request_head(written, {}, again));
}

TEST_CASE("a request is written anew", "[gateway]") {
    const std::string text = "POST /a%41/../b?x=%20 HTTP/1.1\r\nHost: shop.example\r\n"
                             "Content-Length: 3\r\nAccept: */*\r\nX-Own: 1\r\nX-Own: 2\r\n\r\n";
    const auto head = request(text);
    const auto written = request_head_for_upstream(head, known());
    CHECK(written.starts_with("POST /b?x=%20 HTTP/1.1\r\nHost: shop.example\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Own: 1\r\nX-Own: 2\r\n"));
    CHECK_THAT(written, ContainsSubstring("Content-Length: 3\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Forwarded-For: 192.0.2.7\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Relais-Identity: signed\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Relais-Deadline-Ms: 900\r\n"));
    CHECK_THAT(written, !ContainsSubstring("Prefer: respond-async"));
    CHECK(written.ends_with("\r\n\r\n"));
    auto about = known();
    about.respond_async = true;
    CHECK_THAT(request_head_for_upstream(head, about),
               ContainsSubstring("Prefer: respond-async\r\n"));
}

TEST_CASE("a client cannot bring what only we may set", "[gateway]") {
    const auto field = GENERATE(values<std::string>(
        {"X-Relais-Identity: forged", "x-relais-identity: forged", "X-RELAIS-Anything: forged",
         "X-Forwarded-For: forged", "x-forwarded-FOR: forged", "Forwarded: for=forged",
         "X-Real-IP: forged", "CF-Connecting-IP: forged", "X-Request-Id: forged",
         "X_Forwarded_For: forged", "X_Relais_Identity: forged", "Via: forged",
         "X-Forwarded-Prefix: forged", "traceparent: forged"}));
    CAPTURE(field);
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
    const auto head = request(text);
    CHECK_THAT(request_head_for_upstream(head, known()), !ContainsSubstring("forged"));
}

TEST_CASE("naming our fields in Connection removes nothing of ours", "[gateway]") {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX-Own: gone\r\n"
                             "Connection: X-Forwarded-For, x-relais-identity, X-Own\r\n\r\n";
    const auto head = request(text);
    const auto written = request_head_for_upstream(head, known());
    CHECK_THAT(written, ContainsSubstring("X-Forwarded-For: 192.0.2.7"));
    CHECK_THAT(written, ContainsSubstring("X-Relais-Identity: signed"));
    CHECK_THAT(written, !ContainsSubstring("gone"));
    CHECK_THAT(lower(written), !ContainsSubstring("connection:"));
}

TEST_CASE("fields of one hop end here", "[gateway]") {
    const auto field = GENERATE(
        values<std::string>({"Keep-Alive: hop", "Proxy-Connection: hop", "Proxy-Authorization: hop",
                             "TE: trailers", "Upgrade: hop", "Trailer: hop"}));
    CAPTURE(field);
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
    const auto head = request(text);
    const auto written = request_head_for_upstream(head, known());
    CHECK_THAT(written, !ContainsSubstring("hop"));
    CHECK_THAT(written, !ContainsSubstring("TE:"));
}

TEST_CASE("Authorization goes on only where it belongs to the service", "[gateway]") {
    const std::string text = "POST /w HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n";
    const auto head = request(text);
    auto about = known();
    CHECK_THAT(request_head_for_upstream(head, about), !ContainsSubstring("Bearer t"));
    about.keep_authorization = true;
    CHECK_THAT(request_head_for_upstream(head, about), ContainsSubstring("Bearer t"));
}

TEST_CASE("an answer is written anew for its client", "[gateway]") {
    const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, X-Hop\r\n"
        "X-Hop: hop\r\nX-Relais-Secret: hop\r\nServer: hop\r\nX-Request-Id: hop\r\n"
        "ETag: \"1\"\r\n\r\n";
    const auto written = for_client(text, "GET", 1, true);
    CHECK(written.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(written.ends_with("\r\n\r\n"));
    CHECK_THAT(written, !ContainsSubstring("hop"));
    CHECK_THAT(written, !ContainsSubstring("Connection"));
    CHECK_THAT(written, ContainsSubstring("ETag: \"1\"\r\n"));
    CHECK_THAT(written, ContainsSubstring("Content-Length: 5\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Request-Id: our-id\r\n"));
    CHECK_THAT(written, ContainsSubstring("Date: Mon, 23 Nov 2026 06:46:44 GMT\r\n"));
    CHECK_THAT(for_client(text, "GET", 1, false), ContainsSubstring("Connection: close\r\n"));
}

TEST_CASE("a service's own Date stays, unless Connection names it", "[gateway]") {
    const std::string own = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    const auto kept = for_client("HTTP/1.1 204 No Content\r\n" + own + "\r\n", "GET", 1, true);
    CHECK_THAT(kept, ContainsSubstring(own) && !ContainsSubstring("2026"));
    const auto named = for_client("HTTP/1.1 204 No Content\r\nConnection: date\r\n" + own + "\r\n",
                                  "GET", 1, true);
    CHECK_THAT(named, ContainsSubstring("2026") && !ContainsSubstring("1994"));
}

TEST_CASE("the framing of an answer fits its client", "[gateway]") {
    struct row {
        std::string fields;
        std::string_view method;
        int status;
        int version_minor;
        std::string expected; ///< framing fields
    };

    const auto row_of = GENERATE(values<row>({
        {"Content-Length: 5\r\n", "GET", 200, 1, "Content-Length: 5\r\n"},
        {"Content-Length: 5\r\n", "GET", 200, 0, "Content-Length: 5\r\n"},
        {"Content-Length: 0\r\n", "GET", 200, 1, "Content-Length: 0\r\n"},
        {"Content-Length: 5\r\n", "HEAD", 200, 1, "Content-Length: 5\r\n"},
        {"", "HEAD", 200, 1, ""},
        {"Content-Length: 5\r\n", "GET", 304, 1, "Content-Length: 5\r\n"},
        {"", "GET", 304, 1, ""},
        {"", "GET", 204, 1, ""},
        {"Transfer-Encoding: chunked\r\n", "GET", 200, 1, "Transfer-Encoding: chunked\r\n"},
        {"Transfer-Encoding: chunked\r\n", "GET", 200, 0, ""}, // ends with the connection
        {"", "GET", 200, 1, "Transfer-Encoding: chunked\r\n"},
    }));
    CAPTURE(row_of.fields, row_of.method, row_of.status, row_of.version_minor);
    const auto written =
        for_client("HTTP/1.1 " + std::to_string(row_of.status) + " x\r\n" + row_of.fields + "\r\n",
                   row_of.method, row_of.version_minor, true);
    std::string framing;
    for (const std::string name : {"Content-Length: ", "Transfer-Encoding: "}) {
        const auto at = written.find(name);
        if (at != std::string::npos) {
            framing += written.substr(at, written.find('\n', at) + 1 - at);
        }
    }
    CHECK(framing == row_of.expected);
}
