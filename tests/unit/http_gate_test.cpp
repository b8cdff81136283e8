#include "http/gate.hpp"
#include "support/gate_rows.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>
#include <string>

using namespace relais::http;

namespace {

std::string with(std::string fields, std::string body = "") {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

std::string to(std::string target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

} // namespace

TEST_CASE("every row of the gate's table", "[http][gate]") {
    request_head head;
    std::set<std::string> names;
    for (const auto& each : relais::test::gate::request_rows()) {
        INFO(each.name);
        CHECK(names.insert(each.name).second);
        const auto used = parse_request_head(each.head, {}, head);
        if (each.slug.empty()) {
            REQUIRE(used);
            CHECK(*used == each.head.size());
        } else {
            REQUIRE_FALSE(used);
            CHECK(used.error().slug == each.slug);
        }
        if (!each.goes_as.empty()) {
            const auto query = head.has_query ? "?" + std::string(head.query) : std::string();
            CHECK(head.path + query == each.goes_as);
        }
    }
    CHECK(names.size() > 150);
}

TEST_CASE("bytes in any pieces give the same answer", "[http][gate]") {
    request_head head;
    for (const auto& each : relais::test::gate::request_rows()) {
        INFO(each.name);
        std::string slug;
        const std::size_t step = 1 + each.head.size() / 500;
        for (std::size_t size = 1; slug.empty(); size = std::min(size + step, each.head.size())) {
            const auto used = parse_request_head({each.head.data(), size}, {}, head);
            slug = used ? (*used > 0 ? "done" : "") : used.error().slug;
            REQUIRE((!slug.empty() || size < each.head.size()));
        }
        CHECK(slug == (each.slug.empty() ? "done" : each.slug));
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
