#include "gateway/identity/cookie_session.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::gateway;

namespace {

using fields = std::vector<http::field_view>;

http::request_head head_with(fields given) {
    http::request_head head;
    head.host = "shop.example";
    head.fields = std::move(given);
    return head;
}

const std::vector<std::string> app{"https://app.example"};

} // namespace

TEST_CASE("the session cookie among others", "[gateway]") {
    CHECK(session_cookie({{"Cookie", "a=1; __Host-sid=rls_x; b=2"}}) == "rls_x");
    CHECK(session_cookie({{"cookie", "__Host-sid=rls_x"}, {"cookie", "b=2"}}) == "rls_x");
    CHECK(session_cookie({{"Cookie", "__Host-sid=a=b="}}) == "a=b=");
    CHECK(session_cookie({{"Cookie", "__Host-sid="}}) == "");
    CHECK(session_cookie({{"Cookie", ";; ;\t__Host-sid=x ;"}}) == "x");
}

TEST_CASE("what is no session cookie", "[gateway]") {
    CHECK_FALSE(session_cookie({}));
    CHECK_FALSE(session_cookie({{"Cookie", "sid=rls_x; __host-sid=y; __Host-sidx=z"}}));
    CHECK_FALSE(session_cookie({{"X-Cookie", "__Host-sid=rls_x"}}));
    CHECK_FALSE(session_cookie({{"Cookie", "a=__Host-sid=rls_x"}}));
    // Which of them is it?
    CHECK_FALSE(session_cookie({{"Cookie", "__Host-sid=a; __Host-sid=b"}}));
    CHECK_FALSE(session_cookie({{"Cookie", "__Host-sid=a"}, {"Cookie", "__Host-sid=a"}}));
    CHECK(session_cookie({{"Cookie", "__Host-sid"}}) == "");
}

TEST_CASE("services get the other cookies only", "[gateway]") {
    CHECK(without_session_cookie("a=1; __Host-sid=x; b=2") == "a=1; b=2");
    CHECK(without_session_cookie("__Host-sid=x; __Host-sid=y").empty());
    CHECK(without_session_cookie("a=1;b=2") == "a=1; b=2");
    CHECK(without_session_cookie("a=__Host-sid") == "a=__Host-sid");
}

TEST_CASE("only our pages may use the cookie to change something", "[gateway]") {
    const auto ours = [](fields given, bool https = true) {
        return is_made_by_our_pages(head_with(std::move(given)), https, app);
    };
    CHECK(ours({{"Sec-Fetch-Site", "same-origin"}}));
    CHECK(ours({{"Sec-Fetch-Site", "none"}}));
    CHECK_FALSE(ours({{"Sec-Fetch-Site", "cross-site"}}));
    CHECK_FALSE(ours({{"Sec-Fetch-Site", "same-site"}}));
    CHECK_FALSE(ours({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://shop.example"}}));
    CHECK(ours({{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://app.example"}}));
    CHECK(ours({{"Origin", "https://shop.example"}}));
    CHECK(ours({{"Origin", "http://shop.example"}}, false));
    CHECK_FALSE(ours({{"Origin", "http://shop.example"}}));
    CHECK_FALSE(ours({{"Origin", "https://shop.example.evil"}}));
    CHECK_FALSE(ours({{"Origin", "https://app.example.evil"}}));
    CHECK_FALSE(ours({{"Origin", "null"}}));
    CHECK_FALSE(ours({})); // it does not say; browsers of today do
}
