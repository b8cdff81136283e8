#include "http/gate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

using namespace relais::http;

// What the gate lets in and what it refuses. Every row is something a widely used parser or proxy
// gets wrong; where two read a message differently, a request can be smuggled past one of them.

namespace {

struct row {
    std::string name;
    std::string request;
    std::string slug; ///< "" : accepted
};

std::string with(std::string fields, std::string body = "") {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

std::string to(std::string target, std::string method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

const std::string bad = "malformed-request";

const std::vector<row> framing_rows{
    {"unknown coding before a length", with("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"),
     bad},
    {"unknown coding alone", with("Transfer-Encoding: xchunked\r\n"), "not-implemented"},
    {"identity alone", with("Transfer-Encoding: identity\r\n"), "not-implemented"},
    {"quoted coding", with("Transfer-Encoding: \"chunked\"\r\n"), "not-implemented"},
    {"chunked twice in one line", with("Transfer-Encoding: chunked, chunked\r\n"), bad},
    {"chunked not last", with("Transfer-Encoding: chunked, identity\r\n"), bad},
    {"empty list member", with("Transfer-Encoding: ,chunked\r\n"), bad},
    {"gzip before chunked", with("Transfer-Encoding: gzip, chunked\r\n"), bad},
    {"chunked with a parameter", with("Transfer-Encoding: chunked;q=1\r\n"), "not-implemented"},
    {"empty coding", with("Transfer-Encoding:\r\n"), "not-implemented"},
    {"identity, then chunked in a second line",
     with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), bad},
    {"chunked in two lines", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     bad},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
     bad},
    {"length, then chunked (CL.TE)", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
     bad},
    {"chunked, then length (TE.CL)", with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
     bad},
    {"chunked in any case", with("Transfer-Encoding: CHUNKED\r\n"), ""},
    {"vertical tab before chunked", with("Transfer-Encoding: \vchunked\r\n"), bad},
    {"the same length twice", with("Content-Length: 3\r\nContent-Length: 3\r\n"), bad},
    {"the same length twice in one line", with("Content-Length: 3, 3\r\n"), bad},
    {"two lengths, last wins", with("Content-Length: 3\r\nContent-Length: 4\r\n"), bad},
    {"length with plus", with("Content-Length: +3\r\n"), bad},
    {"length with minus", with("Content-Length: -3\r\n"), bad},
    {"length in hexadecimal", with("Content-Length: 0x3\r\n"), bad},
    {"length with underscore", with("Content-Length: 3_0\r\n"), bad},
    {"empty length", with("Content-Length: \r\n"), bad},
    {"length with a parameter", with("Content-Length: 3;a\r\n"), bad},
    {"length over 64 bits", with("Content-Length: 18446744073709551619\r\n"), bad},
    {"length in octal", with("Content-Length: 010\r\n"), bad},
    {"length zero", with("Content-Length: 0\r\n"), ""},
    {"plain length", with("Content-Length: 30\r\n"), ""},
};

const std::vector<row> field_rows{
    {"folded value", with("X: a\r\n b\r\n"), bad},
    {"folded behind Host", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 3\r\n\r\n", bad},
    {"folded first line", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", bad},
    {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", bad},
    {"bare LF behind the start line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bad},
    {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", bad},
    {"bare CR in a value", with("X: a\rb\r\n"), bad},
    {"CR LF CR and something ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", bad},
    {"NUL in a value", with(std::string("X: a\0b\r\n", 8)), bad},
    {"control character in a value",
     with("X: a\x01"
          "b\r\n"),
     bad},
    {"DEL in a value", with("X: a\x7f\r\n"), bad},
    {"space before the colon", with("X : a\r\n"), bad},
    {"tab before the colon", with("X\t: a\r\n"), bad},
    {"empty name", with(": a\r\n"), bad},
    {"no colon", with("X\r\n"), bad},
    {"byte over 127 in a name", with("X\x80: a\r\n"), bad},
    {"name continued over lines", with("X-A\r\n: a\r\n"), bad},
    {"control byte before a name", with("\x0bX: a\r\n"), bad},
    {"slash in a name", with("X/Y: a\r\n"), bad},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", bad},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", bad},
    {"empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", bad},
    {"Host with blanks and a path", "GET / HTTP/1.1\r\nHost: a b/c?d\r\n\r\n", bad},
    {"Host with a user", "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n", bad},
    {"Host that is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", bad},
    {"Host with a port that is none", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", bad},
    {"Host with port", "GET / HTTP/1.1\r\nHost: a.b-c:8080\r\n\r\n", ""},
    {"Host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ""},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", ""},
    {"unknown expectation", with("Expect: foo\r\n"), "expectation-failed"},
    {"obfuscated expectation", with("Expect: y 100-continue\r\n"), "expectation-failed"},
    {"100-continue", with("Expect: 100-Continue\r\nContent-Length: 3\r\n"), ""},
    {"a value over 127", with("X: caf\xc3\xa9\r\n"), ""},
};

const std::vector<row> start_rows{
    {"one empty line before", "\r\n" + to("/"), ""},
    {"two empty lines before", "\r\n\r\n" + to("/"), bad},
    {"HTTP/0.9", "GET /\r\n", bad},
    {"HTTP/0.9 with version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "version-not-supported"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "version-not-supported"},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version-not-supported"},
    {"HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", bad},
    {"lower-case http", "GET / http/1.1\r\nHost: a\r\n\r\n", bad},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bad},
    {"tab for space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad},
    {"space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bad},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "not-implemented"},
    {"TRACE", to("/", "TRACE"), "not-implemented"},
    {"custom method", to("/", "FROB"), "not-implemented"},
    {"lower-case get", to("/", "get"), "not-implemented"},
    {"method with a bad byte", to("/", "G@T"), bad},
    {"a TLS handshake", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), bad},
    {"asterisk for GET", to("*"), bad},
    {"asterisk for OPTIONS", to("*", "OPTIONS"), ""},
    {"authority for GET", to("a:80"), bad},
    {"no slash", to("foo"), bad},
    {"absolute", to("http://b/x"), ""},
    {"absolute with a user", to("http://u@a/"), bad},
    {"absolute without a host", to("http:///x"), bad},
    {"another scheme", to("ftp://a/"), bad},
    {"fragment", to("/a#frag"), bad},
    {"byte over 127", to("/\x80"), bad},
    {"double quote", to("/\""), bad},
    {"angle brackets", to("/<>"), bad},
    {"braces", to("/{}"), bad},
    {"bar", to("/|"), bad},
    {"backslash", to("/\\"), bad},
    {"caret", to("/^"), bad},
    {"caret in the query", to("/?^"), bad},
    {"broken escape", to("/%zz"), bad},
    {"escape cut short", to("/%4"), bad},
    {"escape cut short in the query", to("/?a=%4"), bad},
    {"escaped NUL", to("/%00"), bad},
    {"escaped NUL in the query", to("/?a=%00"), bad},
    {"escaped slash", to("/a%2fb"), bad},
    {"escaped backslash", to("/a%5Cb"), bad},
    {"escaped line feed", to("/a%0ab"), bad},
    {"escaped letter", to("/%61"), ""},
    {"brackets in the query", to("/?a[]=1"), ""},
};

} // namespace

TEST_CASE("every row of the gate's table", "[http][gate]") {
    request_head head;
    std::set<std::string> names;
    for (const auto* table : {&framing_rows, &field_rows, &start_rows}) {
        for (const row& each : *table) {
            INFO(each.name);
            CHECK(names.insert(each.name).second);
            const auto used = parse_request_head(each.request, {}, head);
            if (each.slug.empty()) {
                REQUIRE(used);
                CHECK(*used == each.request.size());
            } else {
                REQUIRE_FALSE(used);
                CHECK(used.error().slug == each.slug);
            }
        }
    }
}

TEST_CASE("bytes in any pieces give the same answer", "[http][gate]") {
    request_head head;
    for (const auto* table : {&framing_rows, &field_rows, &start_rows}) {
        for (const row& each : *table) {
            INFO(each.name);
            std::string slug;
            for (std::size_t size = 1; size <= each.request.size() && slug.empty(); ++size) {
                const auto used = parse_request_head({each.request.data(), size}, {}, head);
                slug = used ? (*used > 0 ? "done" : "") : used.error().slug;
            }
            CHECK(slug == (each.slug.empty() ? "done" : each.slug));
        }
    }
}

TEST_CASE("one form of a path is routed and forwarded", "[http][gate]") {
    const std::vector<std::pair<std::string, std::string>> paths{
        {"/", "/"},
        {"//admin", "/admin"},
        {"/a/../admin", "/admin"},
        {"/a/%2e%2e/admin", "/admin"},
        {"/a/.%2E/admin", "/admin"},
        {"/../../etc/passwd", "/etc/passwd"},
        {"/a/./b//c/", "/a/b/c/"},
        {"/a/..", "/"},
        {"/a/b/.", "/a/b/"},
        {"/%61%2D%7E%c3%a9%3f", "/a-~%C3%A9%3F"},
        {"/a;x=1,2@b:c", "/a;x=1,2@b:c"},
        {"http://b:81", "/"},
        {"HTTP://b/x/../y", "/y"},
    };
    request_head head;
    for (const auto& [raw, normal] : paths) {
        INFO(raw);
        const auto request = to(raw);
        REQUIRE(parse_request_head(request, {}, head));
        CHECK(head.path == normal);
    }
}

TEST_CASE("a head's meaning", "[http][gate]") {
    request_head head;
    SECTION("an absolute target's host replaces the field") {
        const auto request = to("http://b:81?q");
        REQUIRE(parse_request_head(request, {}, head));
        CHECK(head.host == "b:81");
        CHECK(head.find("HOST") == "b:81");
        CHECK(head.query == "q");
        CHECK(head.path == "/");
    }
    SECTION("names with an underscore are dropped") {
        const auto request = with("X_Forwarded_For: 1.2.3.4\r\nContent_Length: 9\r\nX-Ok: 1\r\n");
        REQUIRE(parse_request_head(request, {}, head));
        CHECK(head.fields.size() == 2);
        CHECK(head.framing == framing::none);
    }
    SECTION("connection options") {
        const auto request = with("Connection: foo , Close\r\n");
        REQUIRE(parse_request_head(request, {}, head));
        CHECK_FALSE(head.keep_alive);
        const auto old = std::string("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        REQUIRE(parse_request_head(old, {}, head));
        CHECK(head.keep_alive);
        CHECK(head.version_minor == 0);
    }
    SECTION("what follows the head is left") {
        const auto request = with("Content-Length: 3\r\nExpect: 100-continue\r\n", "abcGET /");
        const auto used = parse_request_head(request, {}, head);
        REQUIRE(used);
        CHECK(request.substr(*used) == "abcGET /");
        CHECK(head.framing == framing::content_length);
        CHECK(head.body_bytes == 3);
        CHECK(head.expect_continue);
    }
}

TEST_CASE("a head has limits", "[http][gate]") {
    request_head head;
    gate_limits limits;
    limits.head_bytes_max = 500;
    limits.target_bytes_max = 100;
    limits.fields_max = 5;
    limits.name_bytes_max = 20;
    const auto slug_of = [&](const std::string& request) {
        const auto used = parse_request_head(request, limits, head);
        return used ? std::string(*used > 0 ? "done" : "more") : used.error().slug;
    };
    CHECK(slug_of(to("/" + std::string(100, 'a'))) == "uri-too-long");
    CHECK(slug_of("GET /" + std::string(200, 'a')) == "uri-too-long");
    CHECK(slug_of(to("/" + std::string(99, 'a'))) == "done");
    CHECK(slug_of(with("X: " + std::string(500, 'a') + "\r\n")) == "header-too-large");
    CHECK(slug_of("POST / HTTP/1.1\r\nX: " + std::string(500, 'a')) == "header-too-large");
    CHECK(slug_of(with("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n")) == "header-too-large");
    CHECK(slug_of(with(std::string(21, 'a') + ": 1\r\n")) == "header-too-large");
}
