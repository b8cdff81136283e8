#include "objectstore/store.hpp"
#include "support/await_on.hpp"
#include "support/raw_server.hpp"
#include "support/s3.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::objectstore;

namespace {

struct rig {
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    system_clock time;

    store_settings scripted(const test::raw_server& server) const {
        store_settings out{server.url(), {"key", config::secret("secret"), "default"}};
        out.attempt_timeout = std::chrono::milliseconds(300);
        out.deadline = std::chrono::milliseconds(3'000);
        return out;
    }
};

std::string http_answer(std::string_view head, std::string_view body = "") {
    return "HTTP/1.1 " + std::string(head) + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

} // namespace

TEST_CASE("object store: put, head, get, remove", "[objectstore]") {
    rig with;
    const auto bucket = test::s3_bucket("relais-test-store");
    store objects(test::s3_settings(), with.time, with.loop, with.metrics);
    const std::string key = "a b+\xc3\xbc(1)/" + make_uuid_v7().text() + "$&=~.txt";
    const std::string content("bytes\0and more\n", 15);

    const auto missing = test::await_on(with.loop, objects.head(bucket, key));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == error_kind::not_found);
    REQUIRE(test::await_on(with.loop, objects.put(bucket, key, content, "text/plain", true)));
    const auto info = test::await_on(with.loop, objects.head(bucket, key));
    REQUIRE(info);
    CHECK(info->size_bytes == content.size());
    CHECK(info->content_type == "text/plain");
    CHECK(info->etag.size() == 32);
    CHECK(test::await_on(with.loop, objects.get(bucket, key, 15)) == content);
    const auto larger = test::await_on(with.loop, objects.get(bucket, key, 14));
    REQUIRE_FALSE(larger);
    CHECK(larger.error().kind == error_kind::too_large);
    REQUIRE(test::await_on(with.loop, objects.put(bucket, key, "", "text/plain", false)));
    CHECK(test::await_on(with.loop, objects.get(bucket, key, 15)) == "");
    REQUIRE(test::await_on(with.loop, objects.remove(bucket, key)));
    REQUIRE(test::await_on(with.loop, objects.remove(bucket, key)));
    CHECK_FALSE(test::await_on(with.loop, objects.head(bucket, key)));
}

TEST_CASE("object store: wrong key, wrong bucket", "[objectstore]") {
    rig with;
    const auto bucket = test::s3_bucket("relais-test-store");
    auto settings = test::s3_settings();
    store right(settings, with.time, with.loop, with.metrics);
    const auto no_bucket = test::await_on(with.loop, right.get("relais-test-none", "k", 10));
    REQUIRE_FALSE(no_bucket);
    CHECK(no_bucket.error().slug == "objectstore-bad-answer");
    settings.credentials.secret_key = config::secret("not this one");
    store wrong(settings, with.time, with.loop, with.metrics);
    const auto denied = test::await_on(with.loop, wrong.put(bucket, "k", "v", "text/plain", false));
    REQUIRE_FALSE(denied);
    CHECK(denied.error().slug == "objectstore-denied");
}

TEST_CASE("object store: what passes is tried again, signed anew", "[objectstore]") {
    rig with;
    const test::raw_server server([](int number) -> test::raw_server::step {
        if (number == 1) {
            return {http_answer("503 Slow Down", "<Error><Code>SlowDown</Code></Error>")};
        }
        if (number == 2) {
            return {.answer = "", .reset = true};
        }
        return {http_answer("200 OK", "content")};
    });
    store objects(with.scripted(server), with.time, with.loop, with.metrics);
    CHECK(test::await_on(with.loop, objects.get("b", "k", 100)) == "content");
    CHECK(server.requests() >= 3);
    for (const auto& request : server.seen()) {
        CHECK(request.starts_with("GET /b/k HTTP/1.1\r\n"));
        CHECK(request.find("AWS4-HMAC-SHA256 Credential=key/") != std::string::npos);
    }
}

TEST_CASE("object store: what does not pass is not tried again", "[objectstore]") {
    rig with;
    const test::raw_server server([](int) -> test::raw_server::step {
        return {http_answer("400 Bad Request", "<Error><Code>InvalidArgument</Code></Error>")};
    });
    store objects(with.scripted(server), with.time, with.loop, with.metrics);
    const auto refused = test::await_on(with.loop, objects.put("b", "k", "v", "text/plain", false));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().slug == "objectstore-bad-answer");
    CHECK(server.requests() == 1);
}

TEST_CASE("object store: a store that hangs or is away", "[objectstore]") {
    rig with;
    const test::raw_server server([](int) -> test::raw_server::step { return {""}; });
    auto settings = with.scripted(server);
    settings.attempts_max = 2;
    store hanging(settings, with.time, with.loop, with.metrics);
    const auto late = test::await_on(with.loop, hanging.get("b", "k", 100));
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == error_kind::timeout);
    settings.endpoint_url = "http://127.0.0.1:1"; // nothing listens there
    store away(settings, with.time, with.loop, with.metrics);
    const auto none = test::await_on(with.loop, away.head("b", "k"));
    REQUIRE_FALSE(none);
    CHECK(none.error().slug == "objectstore-unavailable");
}
