#include "gateway/files/bucket_request.hpp"
#include "gateway/routing/path_rewrite.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>

using namespace relais;
using namespace relais::gateway;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using verdict = bucket_request::verdict;

namespace {

constexpr timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 30}};

http::request_head asked(const std::string& text) {
    http::request_head head;
    REQUIRE(http::parse_request_head(text, {}, head) == text.size());
    return head;
}

http::response_head answered(const std::string& text) {
    http::response_head head;
    REQUIRE(http::parse_response_head(text, {}, "GET", head) == text.size());
    return head;
}

bucket_rules rules() {
    bucket_rules out;
    out.prefix = "/pages";
    out.path = "bucket/site";
    out.index = "index.html";
    out.host = "s3.example:9000";
    return out;
}

/// The first line that the store gets for this path.
std::string line_for(const bucket_rules& by, const std::string& path) {
    bucket_request request;
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto head = asked(text);
    if (!request.begin(by, head)) {
        return "";
    }
    std::string out;
    request.write_head(by, head, now, out);
    return out.substr(0, out.find("\r\n"));
}

} // namespace

TEST_CASE("a rewritten path", "[gateway]") {
    CHECK(path_rewrite{"/shop", ""}.apply("/shop/a") == "/a");
    CHECK(path_rewrite{"/shop", ""}.apply("/shop") == "/");
    CHECK(path_rewrite{"/shop", ""}.apply("/shop/") == "/");
    CHECK(path_rewrite{"/shop", "/v2"}.apply("/shop/a/") == "/v2/a/");
    CHECK(path_rewrite{"/shop", "/v2"}.apply("/shop") == "/v2");
    CHECK(path_rewrite{"", "/v2"}.apply("/shop") == "/v2/shop");
    CHECK(path_rewrite{"", "/v2"}.apply("/") == "/v2/");
    CHECK(path_rewrite{"/v1", "/v2"}.apply("/v1/shop/a%20b") == "/v2/shop/a%20b");
    CHECK(path_rewrite{}.empty());
    CHECK(is_internal("/internal"));
    CHECK(is_internal("/internal/x"));
    CHECK_FALSE(is_internal("/internals"));
}

TEST_CASE("an object's name is below the bucket's prefix", "[gateway]") {
    const auto by = rules();
    CHECK(line_for(by, "/pages") == "GET /bucket/site/index.html HTTP/1.1");
    CHECK(line_for(by, "/pages/") == "GET /bucket/site/index.html HTTP/1.1");
    CHECK(line_for(by, "/pages/a/") == "GET /bucket/site/a/index.html HTTP/1.1");
    CHECK(line_for(by, "/pages/a/b.css") == "GET /bucket/site/a/b.css HTTP/1.1");
    CHECK(line_for(by, "/pages/a%20b+c") == "GET /bucket/site/a%20b%2Bc HTTP/1.1");
    CHECK(line_for(by, "/pages/a?acl&x=y") == "GET /bucket/site/a HTTP/1.1");
    for (const char* wrong : {"/pages/.env", "/pages/a/.git/config", "/pages/%ff"}) {
        CAPTURE(wrong);
        CHECK(line_for(by, wrong).empty());
    }
}

TEST_CASE("the store gets what it needs and nothing else", "[gateway]") {
    auto by = rules();
    const std::string text =
        "GET /pages/a HTTP/1.1\r\nHost: shop.example\r\nCookie: a=b\r\nAuthorization: Bearer x\r\n"
        "If-None-Match: \"e\"\r\nRange: bytes=0-1\r\nx-amz-acl: public-read\r\n\r\n";
    const auto head = asked(text);
    bucket_request request;
    REQUIRE(request.begin(by, head));
    std::string out;
    request.write_head(by, head, now, out);
    CHECK(out == "GET /bucket/site/a HTTP/1.1\r\nHost: s3.example:9000\r\nVia: 1.1 relais\r\n"
                 "If-None-Match: \"e\"\r\nRange: bytes=0-1\r\n\r\n");
    by.signs = objectstore::credentials{"key", config::secret("secret"), "eu-1"};
    out.clear();
    request.write_head(by, head, now, out);
    CHECK_THAT(out, ContainsSubstring("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"
                                      "x-amz-date: 20261130T000000Z\r\n"
                                      "Authorization: AWS4-HMAC-SHA256 Credential=key/20261130/"
                                      "eu-1/s3/aws4_request, SignedHeaders=host;"
                                      "x-amz-content-sha256;x-amz-date, Signature="));
    CHECK_THAT(out, !ContainsSubstring("secret") && !ContainsSubstring("Bearer") &&
                        !ContainsSubstring("Cookie"));
}

TEST_CASE("compressed forms are asked for first", "[gateway]") {
    auto by = rules();
    by.codings = {coding::brotli, coding::gzip};
    const std::string text =
        "GET /pages/a.css HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n";
    const auto head = asked(text);
    bucket_request request;
    REQUIRE(request.begin(by, head));
    std::string out;
    request.write_head(by, head, now, out);
    CHECK_THAT(out, StartsWith("GET /bucket/site/a.css.br HTTP/1.1"));
    answer_head to;
    request.shape(by, to);
    REQUIRE(to.fields.size() == 3);
    CHECK(to.fields[1].value == "text/css; charset=utf-8");
    CHECK(to.fields[2].value == "br");
    const std::string missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    CHECK(request.judge(answered(missing)) == verdict::ask_plain);
    request.choose_plain();
    out.clear();
    request.write_head(by, head, now, out);
    CHECK_THAT(out, StartsWith("GET /bucket/site/a.css HTTP/1.1"));
    CHECK(request.judge(answered(missing)) == verdict::missing);
}

TEST_CASE("what an answer of the store means", "[gateway]") {
    const auto by = rules();
    const std::string text = "GET /pages/a HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto head = asked(text);
    bucket_request request;
    REQUIRE(request.begin(by, head));
    const auto judged = [&](int status, const std::string& fields = "") {
        const std::string answer =
            "HTTP/1.1 " + std::to_string(status) + " x\r\n" + fields + "Content-Length: 0\r\n\r\n";
        return request.judge(answered(answer));
    };
    CHECK(judged(200) == verdict::give);
    CHECK(judged(206) == verdict::give);
    CHECK(judged(403) == verdict::missing);
    CHECK(judged(301) == verdict::failed);
    CHECK(judged(400) == verdict::failed);
    CHECK(judged(503) == verdict::failed);
    CHECK(judged(416, "Content-Range: bytes */7\r\n") == verdict::unsuitable);
    CHECK(request.refusal().status == 416);
    CHECK(request.refusal().headers.find("Content-Range") == "bytes */7");
}

TEST_CASE("an answer says nothing of the store", "[gateway]") {
    auto by = rules();
    by.cache_control = "public, max-age=60";
    const std::string text = "GET /pages/a.html HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto head = asked(text);
    bucket_request request;
    REQUIRE(request.begin(by, head));
    answer_head to;
    for (const char* name : {"x-amz-request-id", "x-amz-meta-owner", "x-rgw-object-type",
                             "Content-Type", "ETag", "Cache-Control", "Set-Cookie", "Location",
                             "Access-Control-Allow-Origin", "Last-Modified"}) {
        to.fields.push_back({name, "store"});
    }
    request.shape(by, to);
    std::string all;
    for (const auto& field : to.fields) {
        all.append(field.name).append("=").append(field.value).append(";");
    }
    CHECK(all == "ETag=store;Last-Modified=store;Cache-Control=public, max-age=60;"
                 "Content-Type=text/html; charset=utf-8;");
}
