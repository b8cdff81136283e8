#include "gateway/proxy/heads.hpp"

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
    about.peer_address = "192.0.2.7";
    about.request_id = "our-id";
    about.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    about.identity = "signed";
    about.deadline = std::chrono::milliseconds(900);
    return about;
}

std::string lower(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

} // namespace

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
    CHECK(written.ends_with("\r\n\r\n"));
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
    const std::string asked_text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto asked = request(asked_text);
    const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, X-Hop\r\n"
        "X-Hop: hop\r\nX-Relais-Secret: hop\r\nServer: hop\r\nETag: \"1\"\r\n\r\n";
    http::response_head answer;
    REQUIRE(http::parse_response_head(text, {}, "GET", answer));
    const auto framing = framing_for_client(answer, asked);
    const auto written = response_head_for_client(answer, asked, framing, "our-id", true, {});
    CHECK(written.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK_THAT(written, !ContainsSubstring("hop"));
    CHECK_THAT(written, ContainsSubstring("ETag: \"1\"\r\n"));
    CHECK_THAT(written, ContainsSubstring("Content-Length: 5\r\n"));
    CHECK_THAT(written, ContainsSubstring("X-Request-Id: our-id\r\n"));
    CHECK_THAT(written, ContainsSubstring("Date: "));
    const auto closing = response_head_for_client(answer, asked, framing, "our-id", false, {});
    CHECK_THAT(closing, ContainsSubstring("Connection: close\r\n"));
}

TEST_CASE("a body of unknown length is chunked, for HTTP/1.0 it ends with the connection",
          "[gateway]") {
    http::response_head answer;
    REQUIRE(http::parse_response_head("HTTP/1.1 200 OK\r\n\r\n", {}, "GET", answer));
    const std::string modern = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string old = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
    CHECK(framing_for_client(answer, request(modern)).framing == http::framing::chunked);
    CHECK(framing_for_client(answer, request(old)).framing == http::framing::until_close);
}
