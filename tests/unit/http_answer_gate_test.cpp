#include "http/gate.hpp"
#include "support/gate_rows.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using namespace relais::http;

namespace {

std::string answer(std::string fields) {
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
}

std::string_view name_of(framing framed) {
    switch (framed) {
    case framing::none:
        return "none";
    case framing::content_length:
        return "content_length";
    case framing::chunked:
        return "chunked";
    case framing::until_close:
        break;
    }
    return "until_close";
}

} // namespace

TEST_CASE("every row of the gate's table for answers", "[http][gate]") {
    response_head head;
    const auto rows = relais::test::gate::answer_rows();
    CHECK(rows.size() > 80);
    for (const auto& each : rows) {
        INFO(each.name);
        const auto used = parse_response_head(each.head, {}, each.method, head);
        if (each.framing.empty()) {
            REQUIRE_FALSE(used);
            CHECK(used.error().slug == "malformed-answer");
        } else {
            REQUIRE(used);
            CHECK(*used == each.head.size());
            CHECK(name_of(head.framing) == each.framing);
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
