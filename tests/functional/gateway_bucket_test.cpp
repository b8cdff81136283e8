#include "objectstore/store.hpp"
#include "support/answering_server.hpp"
#include "support/await_on.hpp"
#include "support/gateway_process.hpp"
#include "support/raw_client.hpp"
#include "support/s3.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::body_of;
using test::field_of;
using test::request_text;

namespace {

/// The real store with some pages, and a gateway before it.
struct rig {
    test::answering_server web_api{[](const std::string&, const auto& out) {
        out(test::answer_text("", "ready"));
    }};
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    system_clock time;
    objectstore::store_settings settings = test::s3_settings();
    std::string bucket = test::s3_bucket("relais-test-pages");
    objectstore::store store{settings, time, loop, metrics};

    void put(const std::string& name, const std::string& body) {
        REQUIRE(test::await_on(loop, store.put(bucket, name, body, "binary/octet-stream", false)));
    }

    /// `more`: parts of the bucket; `of_route`: of its route.
    std::string routes(const std::string& more = "", const std::string& of_route = "") const {
        return fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
upstream {{ name: "store" url_variable: "RELAIS_STORE_URL" default_url: "{}"
           always_ready: true }}
bucket {{ name: "pages" path: "{}/site" cache_control: "public, max-age=60"
         access_key_variable: "RELAIS_PAGES_ACCESS_KEY"
         secret_key_variable: "RELAIS_PAGES_SECRET_KEY"
         region: "default" {} }}
cache {{ name: "shared" }}
route {{ prefix: "/pages" upstream: "store" bucket: "pages" deadline_ms: 10000 {} }}
)",
                           web_api.port(), settings.endpoint_url, bucket, more, of_route);
    }

    std::map<std::string, std::string> keys() const {
        return {{"RELAIS_PAGES_ACCESS_KEY", settings.credentials.access_key},
                {"RELAIS_PAGES_SECRET_KEY", settings.credentials.secret_key.reveal()}};
    }
};

std::string ask(const test::gateway_process& gateway, const std::string& target,
                const std::string& fields = "", const std::string& method = "GET") {
    test::raw_client client(gateway.port());
    client.send(request_text(method, target, fields));
    return client.read_answer(method == "HEAD");
}

} // namespace

TEST_CASE("pages come from a bucket", "[gateway]") {
    rig with;
    with.put("site/index.html", "start");
    with.put("site/docs/index.html", "docs");
    with.put("site/a b.css", "0123456789");
    with.put("secret.txt", "not a page");
    const test::gateway_process gateway(with.routes(), with.keys());
    CHECK(body_of(ask(gateway, "/pages")) == "start");
    CHECK(body_of(ask(gateway, "/pages/docs/")) == "docs");
    const auto whole = ask(gateway, "/pages/a%20b.css?acl");
    CHECK_THAT(whole, StartsWith("HTTP/1.1 200"));
    CHECK(body_of(whole) == "0123456789");
    CHECK(field_of(whole, "Content-Type") == "text/css; charset=utf-8");
    CHECK(field_of(whole, "Cache-Control") == "public, max-age=60");
    CHECK_FALSE(field_of(whole, "Last-Modified").empty());
    CHECK_THAT(whole, !ContainsSubstring("amz") && !ContainsSubstring("rgw"));

    const auto etag = field_of(whole, "ETag");
    REQUIRE_FALSE(etag.empty());
    CHECK_THAT(ask(gateway, "/pages/a%20b.css", "If-None-Match: " + etag + "\r\n"),
               StartsWith("HTTP/1.1 304"));
    const auto part = ask(gateway, "/pages/a%20b.css", "Range: bytes=2-4\r\n");
    CHECK_THAT(part, StartsWith("HTTP/1.1 206"));
    CHECK(body_of(part) == "234");
    CHECK(field_of(part, "Content-Range") == "bytes 2-4/10");
    const auto beyond = ask(gateway, "/pages/a%20b.css", "Range: bytes=50-\r\n");
    CHECK_THAT(beyond, StartsWith("HTTP/1.1 416"));
    CHECK(body_of(beyond).empty());
    const auto head = ask(gateway, "/pages/a%20b.css", "", "HEAD");
    CHECK_THAT(head, StartsWith("HTTP/1.1 200"));
    CHECK(field_of(head, "Content-Length") == "10");

    const auto missing = ask(gateway, "/pages/nothing");
    CHECK_THAT(missing, StartsWith("HTTP/1.1 404") && ContainsSubstring("application/problem"));
    CHECK_THAT(missing, !ContainsSubstring("NoSuchKey") && !ContainsSubstring(with.bucket));
    CHECK_THAT(ask(gateway, "/pages/nothing", "", "HEAD"), StartsWith("HTTP/1.1 404"));
    for (const char* escape :
         {"/pages/../secret.txt", "/pages/%2e%2e/secret.txt", "/pages/..%2fsecret.txt",
          "/pages/.hidden", "/pages//../secret.txt", "/pages/%2e%2e%2fsecret.txt"}) {
        const auto answer = ask(gateway, escape);
        CAPTURE(escape, answer);
        CHECK_THAT(answer, StartsWith("HTTP/1.1 4") && !ContainsSubstring("not a page"));
    }
    CHECK_THAT(ask(gateway, "/pages/a%20b.css", "", "DELETE"), StartsWith("HTTP/1.1 405"));
}

TEST_CASE("a bucket's compressed forms, kept by the cache", "[gateway]") {
    rig with;
    with.put("site/app.js", "plain");
    with.put("site/app.js.br", "brotli");
    with.put("site/lone.js", "lone");
    const test::gateway_process gateway(
        with.routes(R"(coding: "br" coding: "gzip")", R"(cache: "shared")"), with.keys());
    const std::string accepts = "Accept-Encoding: br\r\n";
    for (const char* how : {"relais; fwd=uri-miss; stored", "relais; hit"}) {
        const auto coded = ask(gateway, "/pages/app.js", accepts);
        CHECK(body_of(coded) == "brotli");
        CHECK(field_of(coded, "Content-Encoding") == "br");
        CHECK(field_of(coded, "Content-Type") == "text/javascript; charset=utf-8");
        CHECK(field_of(coded, "Vary") == "Accept-Encoding");
        CHECK_THAT(field_of(coded, "Cache-Status"), StartsWith(how));
    }
    CHECK(body_of(ask(gateway, "/pages/app.js")) == "plain");
    for (const char* how : {"relais; fwd=uri-miss; stored", "relais; hit"}) {
        const auto plain = ask(gateway, "/pages/lone.js", accepts);
        CHECK(body_of(plain) == "lone");
        CHECK(field_of(plain, "Content-Encoding").empty());
        CHECK_THAT(field_of(plain, "Cache-Status"), StartsWith(how));
    }
    CHECK_THAT(ask(gateway, "/pages/none.js", accepts), StartsWith("HTTP/1.1 404"));
}

TEST_CASE("a page that is gone is not given from what was kept", "[gateway]") {
    rig with;
    with.put("site/gone.html", "there");
    const test::gateway_process gateway(with.routes("", R"(cache: "shared")") +
                                            R"(cache { name: "brief" stale_if_error_s: 60 }
route { prefix: "/brief" upstream: "store" bucket: "brief" deadline_ms: 10000 cache: "brief" }
bucket { name: "brief" path: "relais-test-pages/site" cache_control: "max-age=0"
         access_key_variable: "RELAIS_PAGES_ACCESS_KEY"
         secret_key_variable: "RELAIS_PAGES_SECRET_KEY"
         region: "default" })",
                                        with.keys());
    CHECK(body_of(ask(gateway, "/brief/gone.html")) == "there");
    CHECK_THAT(field_of(ask(gateway, "/brief/gone.html"), "Cache-Status"),
               ContainsSubstring("fwd-status=304"));
    REQUIRE(test::await_on(with.loop, with.store.remove(with.bucket, "site/gone.html")));
    CHECK_THAT(ask(gateway, "/brief/gone.html"), StartsWith("HTTP/1.1 404"));
}

TEST_CASE("a wrong key is our failure, and no page is said to be missing", "[gateway]") {
    rig with;
    with.put("site/index.html", "start");
    auto keys = with.keys();
    keys["RELAIS_PAGES_SECRET_KEY"] = "wrong";
    const test::gateway_process gateway(with.routes(), keys);
    const auto answer = ask(gateway, "/pages");
    CHECK_THAT(answer, StartsWith("HTTP/1.1 503") && !ContainsSubstring("Signature"));
}

TEST_CASE("a service gets the path that its route makes of the client's", "[gateway]") {
    test::answering_server origin([](const std::string& request, const auto& out) {
        out(test::answer_text("", request.substr(0, request.find("\r\n"))));
    });
    const test::gateway_process gateway(fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/shop" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 rewrite {{ strip_prefix: "/shop" add_prefix: "/v2" }} }}
route {{ prefix: "/bare" upstream: "web-api" credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000
        body_max_bytes: 1000 rewrite {{ strip_prefix: "/bare" }} }}
)",
                                                    origin.port()));
    CHECK(body_of(ask(gateway, "/shop/a%20b?q=/shop")) == "GET /v2/a%20b?q=/shop HTTP/1.1");
    CHECK(body_of(ask(gateway, "/shop")) == "GET /v2 HTTP/1.1");
    CHECK(body_of(ask(gateway, "/bare")) == "GET / HTTP/1.1");
    for (const char* inside : {"/bare/internal/x", "/bare/%69nternal/x", "/bare//internal"}) {
        CHECK_THAT(ask(gateway, inside), StartsWith("HTTP/1.1 404"));
    }
}
