#include "http/gate.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace relais::http;

namespace {

std::string answer(std::string fields) {
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
}

struct row {
    std::string name;
    std::string bytes;
    bool accepted = false;
    relais::http::framing framing = relais::http::framing::none;
    std::string method = "GET";
};

const std::vector<row> rows{
    {"a length", answer("Content-Length: 3\r\n"), true, framing::content_length},
    {"length zero", answer("Content-Length: 0\r\n"), true, framing::none},
    {"chunked", answer("Transfer-Encoding: chunked\r\n"), true, framing::chunked},
    {"neither", answer(""), true, framing::until_close},
    {"no reason", "HTTP/1.1 200 \r\n\r\n", true, framing::until_close},
    {"no space behind the status", "HTTP/1.1 200\r\n\r\n", true, framing::until_close},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", true, framing::until_close},
    {"to HEAD", answer("Content-Length: 3\r\n"), true, framing::none, "HEAD"},
    {"204 with a length", "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", true, framing::none},
    {"304 with a length", "HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", true, framing::none},
    {"100", "HTTP/1.1 100 Continue\r\n\r\n", true, framing::none},
    {"unknown coding", answer("Transfer-Encoding: xchunked\r\n")},
    {"unknown coding and a length", answer("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n")},
    {"chunked and a length", answer("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
    {"chunked twice", answer("Transfer-Encoding: chunked, chunked\r\n")},
    {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"two lengths", answer("Content-Length: 3\r\nContent-Length: 4\r\n")},
    {"length with plus", answer("Content-Length: +3\r\n")},
    {"folded field", answer("X: a\r\n b\r\n")},
    {"bare LF", "HTTP/1.1 200 OK\nX: a\r\n\r\n"},
    {"NUL in a value", answer(std::string("X: \0\r\n", 6))},
    {"space before the colon", answer("X : a\r\n")},
    {"HTTP/2", "HTTP/2 200 OK\r\n\r\n"},
    {"no HTTP", "SSH-2.0-OpenSSH\r\n"},
    {"four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
    {"status 99", "HTTP/1.1 099 OK\r\n\r\n"},
    {"status 600", "HTTP/1.1 600 OK\r\n\r\n"},
    {"control character in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n"},
};

} // namespace

TEST_CASE("every row of the gate's table for answers", "[http][gate]") {
    response_head head;
    for (const row& each : rows) {
        INFO(each.name);
        const auto used = parse_response_head(each.bytes, {}, each.method, head);
        CHECK(used.has_value() == each.accepted);
        if (used && each.accepted) {
            CHECK(*used == each.bytes.size());
            CHECK(head.framing == each.framing);
        }
        if (!used) {
            CHECK(used.error().slug == "malformed-answer");
        }
    }
}

TEST_CASE("an answer's meaning", "[http][gate]") {
    response_head head;
    const auto bytes = answer("Content-Length: 3\r\nConnection: close\r\nX: a\r\n");
    REQUIRE(parse_response_head(bytes, {}, "HEAD", head));
    CHECK(head.status == 200);
    CHECK(head.reason == "OK");
    CHECK(head.content_length == 3);
    CHECK_FALSE(head.keep_alive);
    CHECK(head.find("x") == "a");
    CHECK(*parse_response_head(bytes.substr(0, 20), {}, "GET", head) == 0);
    gate_limits limits;
    limits.head_bytes_max = 100;
    CHECK_FALSE(parse_response_head(answer("X: " + std::string(100, 'a')), limits, "GET", head));
}
