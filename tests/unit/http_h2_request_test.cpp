#include "http/h2_request.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace relais::http;

namespace {

using fields = std::vector<field_view>;

const std::string bad = "malformed-request";
const fields plain{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};

fields with(const fields& more) {
    auto all = plain;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// One pseudo-header field of `plain` with another value.
fields but(std::string_view name, std::string_view value) {
    auto all = plain;
    for (auto& field : all) {
        if (field.name == name) {
            field.value = value;
        }
    }
    return all;
}

fields without(std::string_view name) {
    auto all = plain;
    std::erase_if(all, [name](const auto& field) { return field.name == name; });
    return all;
}

struct row {
    std::string name;
    fields received;
    std::string slug; ///< "" : accepted
    bool has_body = false;
};

const std::vector<row> pseudo_rows{
    {"plain", plain, ""},
    {"https", but(":scheme", "https"), ""},
    {"pseudo-header fields in another order",
     {{":path", "/"}, {":authority", "a"}, {":method", "GET"}, {":scheme", "http"}},
     ""},
    {"no :method", without(":method"), bad},
    {"no :scheme", without(":scheme"), bad},
    {"no :path", without(":path"), bad},
    {"nothing at all", {}, bad},
    {"neither :authority nor Host", without(":authority"), bad},
    {":method twice", with({{":method", "GET"}}), bad},
    {":path twice", with({{":path", "/"}}), bad},
    {":scheme twice", with({{":scheme", "http"}}), bad},
    {":authority twice", with({{":authority", "a"}}), bad},
    {"unknown pseudo-header field", with({{":protocol", "websocket"}}), bad},
    {":status in a request", with({{":status", "200"}}), bad},
    {"only a colon", with({{":", "x"}}), bad},
    {"pseudo-header field in upper case", with({{":PATH", "/"}}), bad},
    {"pseudo-header field behind a regular one",
     {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {"x", "y"}, {":path", "/"}},
     bad},
    {"empty :path", but(":path", ""), bad},
    {"empty :authority", but(":authority", ""), bad},
    {"empty :method", but(":method", ""), bad},
    {"empty :scheme", but(":scheme", ""), bad},
    {"another scheme", but(":scheme", "ftp"), bad},
    {"scheme in upper case", but(":scheme", "HTTP"), bad},
    {"absolute :path", but(":path", "http://a/"), bad},
    {"asterisk for GET", but(":path", "*"), bad},
    {"asterisk for OPTIONS",
     {{":method", "OPTIONS"}, {":scheme", "http"}, {":authority", "a"}, {":path", "*"}},
     ""},
    {":path with a line end", but(":path", "/ HTTP/1.1\r\nX: y"), bad},
    {":path with a blank", but(":path", "/a b"), bad},
    {":path with a fragment", but(":path", "/a#b"), bad},
    {":path with an escaped slash", but(":path", "/a%2fb"), bad},
    {"broken query", but(":path", "/?%"), bad},
    {":authority with a user", but(":authority", "u@a"), bad},
    {":authority with a path", but(":authority", "a/b"), bad},
    {":authority with a line end", but(":authority", "a\r\nx: y"), bad},
    {":method with a line end", but(":method", "GET / HTTP/1.1\r\n"), bad},
    {":method with a blank", but(":method", "GET "), bad},
    {"CONNECT", {{":method", "CONNECT"}, {":authority", "a:1"}}, "unknown-method"},
    {"TRACE", but(":method", "TRACE"), "unknown-method"},
    {"lower-case get", but(":method", "get"), "unknown-method"},
};

const std::string with_nul("a\0b", 3);

const std::vector<row> field_rows{
    {"name in upper case", with({{"X-A", "b"}}), bad},
    {"one letter in upper case", with({{"x-A", "b"}}), bad},
    {"empty name", with({{"", "b"}}), bad},
    {"name with a blank", with({{"x a", "b"}}), bad},
    {"name with a colon", with({{"x:a", "b"}}), bad},
    {"name with a line end", with({{"x\r\ny", "b"}}), bad},
    {"name over 127", with({{"x\x80", "b"}}), bad},
    {"CR in a value", with({{"x", "a\rb"}}), bad},
    {"LF in a value", with({{"x", "a\nb"}}), bad},
    {"NUL in a value", with({{"x", with_nul}}), bad},
    {"blank before a value", with({{"x", " a"}}), bad},
    {"tab behind a value", with({{"x", "a\t"}}), bad},
    {"a value that is a blank", with({{"x", " "}}), bad},
    {"empty value", with({{"x", ""}}), ""},
    {"blank inside a value", with({{"x", "a b"}}), ""},
    {"value over 127", with({{"x", "caf\xc3\xa9"}}), ""},
    {"connection", with({{"connection", "close"}}), bad},
    {"keep-alive", with({{"keep-alive", "1"}}), bad},
    {"proxy-connection", with({{"proxy-connection", "close"}}), bad},
    {"transfer-encoding", with({{"transfer-encoding", "chunked"}}), bad, true},
    {"upgrade", with({{"upgrade", "h2c"}}), bad},
    {"te trailers", with({{"te", "trailers"}}), ""},
    {"te gzip", with({{"te", "gzip"}}), bad},
    {"te trailers and more", with({{"te", "trailers, deflate"}}), bad},
    {"Host like :authority", with({{"host", "A"}}), ""},
    {"Host unlike :authority", with({{"host", "b"}}), bad},
    {"two Hosts", with({{"host", "a"}, {"host", "a"}}), bad},
    {"Host that is none", with({{"host", "a b"}}), bad},
    {"Host alone", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a"}}, ""},
    {"content-length without a body", with({{"content-length", "1"}}), bad},
    {"content-length 0 without a body", with({{"content-length", "0"}}), ""},
    {"content-length", with({{"content-length", "1"}}), "", true},
    {"content-length twice", with({{"content-length", "1"}, {"content-length", "1"}}), bad, true},
    {"content-length that is a list", with({{"content-length", "1,1"}}), bad, true},
    {"content-length with a sign", with({{"content-length", "+1"}}), bad, true},
    {"content-length over 64 bits", with({{"content-length", "18446744073709551617"}}), bad, true},
    {"unknown expectation", with({{"expect", "x"}}), "expectation-failed", true},
};

} // namespace

TEST_CASE("every row of the table for HTTP/2 requests", "[http][gate]") {
    request_head head;
    std::string memory;
    for (const auto* table : {&pseudo_rows, &field_rows}) {
        for (const row& each : *table) {
            INFO(each.name);
            const auto read = read_h2_request(each.received, each.has_body, {}, memory, head);
            CHECK((read ? std::string() : read.error().slug) == each.slug);
        }
    }
}

TEST_CASE("a request of HTTP/2 means what one of HTTP/1.1 does", "[http][gate]") {
    request_head head;
    std::string memory;
    SECTION("path and query are brought into one form") {
        REQUIRE(read_h2_request(but(":path", "/a/../b//%63?x=%20"), false, {}, memory, head));
        CHECK(head.path == "/b/c");
        CHECK(head.query == "x=%20");
        CHECK(head.has_query);
        CHECK(head.host == "a");
        CHECK(head.method == "GET");
        CHECK(head.version_major == 2);
        CHECK(head.framing == framing::none);
        CHECK_FALSE(head.upgrade);
        CHECK(head.fields.empty());
    }
    SECTION("cookies are one field again") {
        const auto received =
            with({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}});
        REQUIRE(read_h2_request(received, false, {}, memory, head));
        REQUIRE(head.fields.size() == 2);
        CHECK(head.find("cookie") == "a=1; b=2; c=3");
        CHECK(head.find("x") == "y");
        REQUIRE(read_h2_request(with({{"cookie", "a=1"}}), false, {}, memory, head));
        CHECK(head.find("cookie") == "a=1");
    }
    SECTION("names with an underscore are dropped") {
        REQUIRE(read_h2_request(with({{"x_forwarded_for", "1.2.3.4"}, {"content_length", "z"}}),
                                false, {}, memory, head));
        CHECK(head.fields.empty());
    }
    SECTION("the body's length is known or not") {
        REQUIRE(read_h2_request(with({{"content-length", "12"}}), true, {}, memory, head));
        CHECK(head.framing == framing::content_length);
        CHECK(head.body_bytes == 12);
        REQUIRE(read_h2_request(plain, true, {}, memory, head));
        CHECK(head.framing == framing::chunked);
        REQUIRE(read_h2_request(with({{"content-length", "0"}}), true, {}, memory, head));
        CHECK(head.framing == framing::none);
    }
    SECTION("an expectation") {
        REQUIRE(read_h2_request(with({{"expect", "100-Continue"}}), true, {}, memory, head));
        CHECK(head.expect_continue);
    }
}

TEST_CASE("a request of HTTP/2 has limits", "[http][gate]") {
    gate_limits limits;
    limits.target_bytes_max = 20;
    limits.fields_max = 3;
    limits.name_bytes_max = 10;
    request_head head;
    std::string memory;
    const auto slug_of = [&](const fields& received) {
        const auto read = read_h2_request(received, false, limits, memory, head);
        return read ? std::string() : read.error().slug;
    };
    CHECK(slug_of(but(":path", "/" + std::string(20, 'a'))) == "uri-too-long");
    CHECK(slug_of(but(":path", "/" + std::string(19, 'a'))).empty());
    CHECK(slug_of(with({{"a", ""}, {"b", ""}, {"c", ""}})).empty());
    CHECK(slug_of(with({{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}})) == "header-too-large");
    CHECK(slug_of(with({{"abcdefghijk", ""}})) == "header-too-large");
}

TEST_CASE("trailers are checked, and dropped", "[http][gate]") {
    CHECK(check_h2_trailers(fields{{"x-checksum", "1"}}, {}));
    CHECK(check_h2_trailers(fields{}, {}));
    for (const auto& field :
         fields{{":path", "/"}, {"X", "y"}, {"connection", "close"}, {"x", "a\nb"}, {"x", " a"}}) {
        INFO(field.name << "=" << field.value);
        const auto checked = check_h2_trailers(fields{field}, {});
        REQUIRE_FALSE(checked);
        CHECK(checked.error().slug == bad);
    }
}
