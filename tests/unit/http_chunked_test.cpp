#include "http/body_decoder.hpp"
#include "http/gate.hpp"
#include "support/gate_rows.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace relais::http;

namespace {

struct outcome {
    std::string body;
    std::string rest;
    bool finished = false;
    bool refused = false;

    friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds the bytes in pieces of this size.
outcome decode(std::string_view bytes, std::size_t piece, chunk_limits limits = {}) {
    chunked_decoder decoder(limits);
    outcome out;
    std::string pending;
    for (std::size_t at = 0; at < bytes.size() || !pending.empty();) {
        const auto more = bytes.substr(at, piece);
        at += more.size();
        pending += more;
        while (!pending.empty() && !out.finished) {
            const auto step = decoder.feed(pending);
            if (!step) {
                out.refused = true;
                return out;
            }
            out.body += step->data;
            out.finished = step->finished;
            pending.erase(0, step->consumed);
        }
        if (out.finished) {
            out.rest = pending + std::string(bytes.substr(at));
            return out;
        }
    }
    return out;
}

} // namespace

TEST_CASE("a chunked body in pieces of any size", "[http][gate]") {
    const std::string bytes =
        "3\r\nabc\r\nA;x=\"y;z\";q\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\nGET /";
    const outcome whole = decode(bytes, bytes.size());
    CHECK(whole == outcome{"abc0123456789", "GET /", true, false});
    for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
        CHECK(decode(bytes, piece) == whole);
    }
}

TEST_CASE("chunks that another reader would frame differently are refused", "[http][gate]") {
    for (const auto& each : relais::test::gate::chunks_rows()) {
        INFO(each.name);
        for (const std::size_t piece : {each.bytes.size(), std::size_t{1}}) {
            const auto got = decode(each.bytes, piece);
            CHECK(got.refused == each.refused);
            if (!each.refused) {
                CHECK(got == outcome{each.body, "", true, false});
            }
        }
    }
}

TEST_CASE("extensions and trailers have limits", "[http][gate]") {
    CHECK(decode("3;" + std::string(257, 'x'), 1000).refused);
    CHECK_FALSE(decode("3;" + std::string(200, 'x'), 1000).refused);
    std::string many;
    for (int i = 0; i < 30; ++i) {
        many += "1;" + std::string(200, 'x') + "\r\na\r\n";
    }
    CHECK(decode(many, 1000).refused);
    CHECK(decode("0\r\nX: " + std::string(9000, 'x'), 1000).refused);
    std::string trailers = "0\r\n";
    for (int i = 0; i < 33; ++i) {
        trailers += "X: y\r\n";
    }
    CHECK(decode(trailers, 1000).refused);
}

TEST_CASE("bodies of known length and until the end", "[http][gate]") {
    body_decoder known(framing::content_length, 3);
    const auto first = known.feed("ab");
    REQUIRE(first);
    CHECK(first->data == "ab");
    CHECK_FALSE(known.finished());
    const auto second = known.feed("cGET /");
    REQUIRE(second);
    CHECK(second->data == "c");
    CHECK(second->consumed == 1);
    CHECK(second->finished);

    CHECK(body_decoder().finished());
    body_decoder open(framing::until_close, 0);
    CHECK(open.feed("abc")->data == "abc");
    CHECK_FALSE(open.finished());
    CHECK(open.ends_with_connection());
}
