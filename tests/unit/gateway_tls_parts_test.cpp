#include "gateway/tls/first_bytes.hpp"
#include "gateway/tls/record_pieces.hpp"
#include "gateway/tls/server_name.hpp"
#include "gateway/tls/ticket_shelf.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

using namespace relais::gateway;

namespace {

std::vector<std::string> cut(std::vector<std::string_view> pieces, std::size_t size) {
    std::array<char, 16> space{};
    std::vector<std::string> out;
    for (record_pieces rest(pieces); !rest.empty();) {
        out.emplace_back(rest.next(size, space));
    }
    return out;
}

} // namespace

TEST_CASE("pieces are cut into records", "[gateway][tls]") {
    using texts = std::vector<std::string>;
    CHECK(cut({}, 4).empty());
    CHECK(cut({"", ""}, 4).empty());
    CHECK(cut({"abc"}, 4) == texts{"abc"});
    CHECK(cut({"abcdefghij"}, 4) == texts{"abcd", "efgh", "ij"});
    CHECK(cut({"a", "", "b", "c"}, 4) == texts{"abc"});
    CHECK(cut({"ab", "cdefg", "h"}, 4) == texts{"abcd", "efgh"});
    CHECK(cut({"abcd", "e", ""}, 4) == texts{"abcd", "e"});
    CHECK(cut({"abcdefghijklmnopqrst", "u"}, 100) == texts{"abcdefghijklmnop", "qrstu"});
}

TEST_CASE("a piece that fills a record is not copied", "[gateway][tls]") {
    const std::string_view whole = "abcdefgh";
    const std::array<std::string_view, 2> pieces{whole, "x"};
    std::array<char, 16> space{};
    record_pieces rest(pieces);
    CHECK(rest.next(4, space).data() == whole.data());
    CHECK(rest.next(4, space).data() == whole.data() + 4);
    CHECK(rest.next(4, space) == "x");
}

TEST_CASE("host names as SNI gives them", "[gateway][tls]") {
    for (const std::string& name :
         {std::string("a"), std::string("a.example"), std::string("A-1.b_c.example"),
          std::string("1.a"), std::string(63, 'a') + ".example"}) {
        CHECK(is_host_name(name));
    }
    for (const std::string& name :
         {std::string(), std::string("."), std::string("a."), std::string(".a"),
          std::string("a..b"), std::string("a b"), std::string("a\n"), std::string("*.a"),
          std::string("127.0.0.1"), std::string("::1"), std::string("\xc3\xa4.example"),
          std::string(64, 'a'), fmt::format("{0}.{0}.{0}.{0}", std::string(63, 'a'))}) {
        CHECK_FALSE(is_host_name(name));
    }
}

TEST_CASE("the first bytes of a connection", "[gateway][tls]") {
    CHECK(judge_first_bytes("\x16") == tls_failure::none);
    CHECK(judge_first_bytes("G") == tls_failure::plain_http);
    CHECK(judge_first_bytes("get /") == tls_failure::plain_http);
    CHECK(judge_first_bytes("VERSION-CONTROL ") == tls_failure::plain_http);
    CHECK(judge_first_bytes("\r\nGET /") == tls_failure::plain_http);
    CHECK(judge_first_bytes("GET\t/") == tls_failure::not_tls);
    CHECK(judge_first_bytes(" GET /") == tls_failure::not_tls);
    CHECK(judge_first_bytes("\r\n") == tls_failure::not_tls);
    CHECK(judge_first_bytes("\x15\x03\x01") == tls_failure::not_tls);
}

TEST_CASE("failures have labels of their own", "[gateway][tls]") {
    CHECK(to_string(tls_failure::none) == "none");
    CHECK(to_string(tls_failure::truncated) == "truncated");
    CHECK(to_string(tls_failure::internal) == "internal");
}

TEST_CASE("tickets on the shelf: newest first, few of each, not of too many", "[gateway][tls]") {
    ticket_shelf shelf;
    const auto put = [&](const std::string& target) {
        session_handle ticket(SSL_SESSION_new());
        const auto* raw = ticket.get();
        shelf.put(target, std::move(ticket));
        return raw;
    };
    CHECK(shelf.take("a") == nullptr);
    put("a");
    const auto* newest = put("a");
    CHECK(shelf.count("a") == 2);
    CHECK(shelf.take("a").get() == newest);
    for (int i = 0; i < 10; ++i) {
        put("a");
    }
    CHECK(shelf.count("a") == 4);
    for (int i = 0; i < 1'024; ++i) {
        put(fmt::format("target {}", i));
    }
    CHECK(shelf.count("a") == 0);
    CHECK(shelf.count("target 1023") == 1);
    shelf.clear();
    CHECK(shelf.count("target 1023") == 0);
}
