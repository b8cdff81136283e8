#include "events/topics.hpp"
#include "support/answering_server.hpp"
#include "support/database.hpp"
#include "support/environment.hpp"
#include "support/gateway_process.hpp"
#include "support/kafka_topics.hpp"
#include "support/raw_client.hpp"
#include "support/test_process.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <vector>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::body_of;
using test::field_of;
using test::request_text;

namespace {

using script = test::answering_server::script;

struct rig {
    test::answering_server origin;
    test::gateway_process gateway;

    explicit rig(script answer, std::map<std::string, std::string> variables = {})
        : origin(std::move(answer)), gateway(fmt::format(R"(
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "http://127.0.0.1:{}" }}
route {{ prefix: "/v1" upstream: "web-api" credentials: CREDENTIALS_FORWARD deadline_ms: 10000
        body_max_bytes: 1000 cache: "shared" compression: "texts" }}
cache {{ name: "shared" stale_if_error_s: 60 }}
compression {{ name: "texts" type: "text/plain" }}
)",
                                                         origin.port()),
                                             std::move(variables)) {}

    std::string ask(const std::string& fields = "", const std::string& method = "GET",
                    const std::string& target = "/v1/x") {
        test::raw_client client(gateway.port());
        client.send(request_text(method, target, fields));
        return client.read_answer(method == "HEAD");
    }
};

/// Answers with a number that rises, and these fields.
script counting(const std::string& fields) {
    auto count = std::make_shared<std::atomic<int>>(0);
    return [fields, count](const std::string&, const auto& out) {
        out(test::answer_text(fields, fmt::format("answer {}", ++*count)));
    };
}

} // namespace

TEST_CASE("an answer that may be kept is asked for once", "[gateway]") {
    rig with(counting("Cache-Control: max-age=60\r\nETag: \"a\"\r\nSurrogate-Key: jobs\r\n"));
    const auto first = with.ask();
    CHECK(body_of(first) == "answer 1");
    CHECK(field_of(first, "Cache-Status") == "relais; fwd=uri-miss; stored");
    const auto second = with.ask();
    CHECK(body_of(second) == "answer 1");
    CHECK_THAT(field_of(second, "Cache-Status"), StartsWith("relais; hit; ttl="));
    CHECK_FALSE(field_of(second, "Age").empty());
    CHECK(field_of(second, "X-Request-Id") != field_of(first, "X-Request-Id"));
    CHECK_THAT(first + second, !ContainsSubstring("Surrogate-Key"));
    CHECK_THAT(with.ask("If-None-Match: \"a\"\r\n"), StartsWith("HTTP/1.1 304"));
    const auto head = with.ask("", "HEAD");
    CHECK_THAT(head, StartsWith("HTTP/1.1 200") && ContainsSubstring("Content-Length: 8\r\n"));
    CHECK(with.origin.requests() == 1);
    CHECK(body_of(with.ask("", "GET", "/v1/x?q")) == "answer 2"); // another target
    CHECK(body_of(with.ask("Authorization: Basic x\r\n")) == "answer 3");
    CHECK(body_of(with.ask("Range: bytes=0-1\r\n")) == "answer 4");
    CHECK(body_of(with.ask()) == "answer 1");
    with.ask("", "DELETE"); // what was kept is old now
    CHECK(body_of(with.ask()) == "answer 6");
    CHECK(with.gateway.wait_for_log(R"("cache":"hit")"));
    // What changes nothing came to no cache; the answer to DELETE was kept out, and what it ended
    // is gone.
    const auto page = with.gateway.admin("/metrics");
    const auto requests = [&](std::string_view result, int count) {
        return ContainsSubstring(
            fmt::format("\ngateway_cache_requests_total{{result=\"{}\"}} {}\n", result, count));
    };
    CHECK_THAT(page, requests("hit", 4) && requests("miss", 3) && requests("bypass", 3) &&
                         requests("stale", 0) && requests("joined", 0));
    CHECK_THAT(page, ContainsSubstring("\ngateway_cache_answers 2\n") &&
                         ContainsSubstring("\ngateway_cache_stored_total 3\n"));
}

TEST_CASE("what is not for others is not kept", "[gateway]") {
    for (const char* fields :
         {"", "Cache-Control: private, max-age=60\r\n", "Cache-Control: no-store\r\n",
          "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n"}) {
        rig with(counting(fields));
        CHECK(body_of(with.ask()) == "answer 1");
        CHECK(body_of(with.ask()) == "answer 2");
    }
}

TEST_CASE("kept answers vary, and are compressed for each client", "[gateway]") {
    rig with([](const std::string& request, const auto& out) {
        const bool french = request.find("Accept-Language: fr") != std::string::npos;
        out(test::answer_text("Content-Type: text/plain\r\nVary: Accept-Language\r\n"
                              "Cache-Control: max-age=60\r\n",
                              std::string(2'000, french ? 'f' : 'e')));
    });
    for (int i = 0; i < 2; ++i) {
        CHECK(body_of(with.ask("Accept-Language: fr\r\n")) == std::string(2'000, 'f'));
        CHECK(body_of(with.ask("Accept-Language: en\r\n")) == std::string(2'000, 'e'));
        CHECK(field_of(with.ask("Accept-Language: en\r\nAccept-Encoding: br\r\n"),
                       "Content-Encoding") == "br");
    }
    CHECK(with.origin.requests() == 2);
}

TEST_CASE("many who ask at once are one request to the service", "[gateway]") {
    rig with([](const std::string&, const auto& out) {
        ::poll(nullptr, 0, 300); // it takes its time
        out(test::answer_text("Cache-Control: max-age=60\r\n", "slow"));
    });
    std::vector<std::unique_ptr<test::raw_client>> clients;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(std::make_unique<test::raw_client>(with.gateway.port()));
        clients.back()->send(request_text("GET", "/v1/x"));
    }
    for (const auto& each : clients) {
        CHECK(body_of(each->read_answer()) == "slow");
    }
    CHECK(with.origin.requests() == 1);
}

TEST_CASE("who asks for others and fails does not take them along", "[gateway]") {
    auto count = std::make_shared<std::atomic<int>>(0);
    rig with([count](const std::string&, const auto& out) {
        if (++*count == 1) {
            ::poll(nullptr, 0, 300);
            out("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: oops\r\n\r\n");
        } else {
            out(test::answer_text("Cache-Control: max-age=60\r\n", "good"));
        }
    });
    std::vector<std::unique_ptr<test::raw_client>> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(std::make_unique<test::raw_client>(with.gateway.port()));
        clients.back()->send(request_text("GET", "/v1/x"));
    }
    int good = 0;
    for (const auto& each : clients) {
        good += body_of(each->read_answer()) == "good" ? 1 : 0;
    }
    CHECK(good == 9);
    CHECK(*count == 2);
}

TEST_CASE("what is stale is asked about, given meanwhile, or after a failure", "[gateway]") {
    std::mutex mutex;
    std::vector<std::string> seen;
    std::atomic<bool> broken = false;
    rig with([&](const std::string& request, const auto& out) {
        const std::lock_guard lock(mutex);
        seen.push_back(request);
        if (broken) {
            out(test::answer_text("", "broken", "503 Service Unavailable"));
        } else if (request.starts_with("GET /v1/swr")) {
            out(test::answer_text("Cache-Control: max-age=0, stale-while-revalidate=60\r\n"
                                  "ETag: \"s\"\r\n",
                                  fmt::format("swr {}", seen.size())));
        } else if (request.find("If-None-Match: \"v\"") != std::string::npos) {
            out("HTTP/1.1 304 Not Modified\r\nCache-Control: no-cache\r\nETag: \"v\"\r\n\r\n");
        } else {
            out(test::answer_text("Cache-Control: no-cache\r\nETag: \"v\"\r\n", "kept"));
        }
    });
    CHECK(body_of(with.ask("If-None-Match: \"other\"\r\n")) == "kept");
    const auto validated = with.ask();
    CHECK(body_of(validated) == "kept");
    CHECK_THAT(field_of(validated, "Cache-Status"), ContainsSubstring("fwd=stale; fwd-status=304"));
    CHECK_THAT(with.ask("If-None-Match: \"v\"\r\n"), StartsWith("HTTP/1.1 304"));
    {
        const std::lock_guard lock(mutex);
        REQUIRE(seen.size() == 3);
        CHECK_THAT(seen[0], !ContainsSubstring("If-None-Match"));
        CHECK_THAT(seen[1], ContainsSubstring("If-None-Match: \"v\"\r\n"));
    }
    CHECK(body_of(with.ask("", "GET", "/v1/swr")) == "swr 4");
    CHECK(body_of(with.ask("", "GET", "/v1/swr")) == "swr 4"); // and asks anew behind it
    std::string next;
    while ((next = body_of(with.ask("", "GET", "/v1/swr"))) == "swr 4") {}
    CHECK_THAT(next, StartsWith("swr "));
    broken = true;
    const auto stale = with.ask("", "GET", "/v1/swr");
    CHECK_THAT(stale, StartsWith("HTTP/1.1 200"));
    CHECK_THAT(with.ask("", "GET", "/v1/never"), StartsWith("HTTP/1.1 503"));
}

TEST_CASE("a failing service is stood in for", "[gateway]") {
    auto broken = std::make_shared<std::atomic<bool>>(false);
    rig with([broken](const std::string&, const auto& out) {
        out(*broken ? test::answer_text("", "broken", "503 Service Unavailable")
                    : test::answer_text("Cache-Control: max-age=1\r\n", "good"));
    });
    REQUIRE(body_of(with.ask()) == "good");
    *broken = true;
    std::string answer;
    do { // until it is stale
        answer = with.ask();
        REQUIRE(body_of(answer) == "good");
    } while (field_of(answer, "Age") == "0");
    CHECK_THAT(field_of(answer, "Cache-Status"), StartsWith("relais; hit; ttl="));
    CHECK(with.origin.requests() >= 2);
    CHECK(with.gateway.wait_for_log(R"("cache":"stale")"));
}

TEST_CASE("an event makes every gateway forget", "[gateway][kafka]") {
    kafka::admin admin(test::kafka_topics::brokers(), "test", 10s);
    const std::string topic = "edge.cache.events.v1";
    const auto made = admin.create({topic, events::find_topic(topic)->partitions, 1, {}});
    REQUIRE((made || made.error().slug == "topic-exists"));
    rig with(counting("Cache-Control: max-age=600\r\nSurrogate-Key: jobs job-7\r\n"),
             {{"RELAIS_KAFKA_BROKERS", test::kafka_topics::brokers()}});
    REQUIRE(body_of(with.ask()) == "answer 1");
    const auto purge = fmt::format("RELAIS_KAFKA_BROKERS={} {}/bin/relaisctl cache purge ",
                                   test::kafka_topics::brokers(), test::build_dir());
    REQUIRE(std::system((purge + "other-key").c_str()) == 0);
    REQUIRE(body_of(with.ask()) == "answer 1");
    REQUIRE(std::system((purge + "job-7").c_str()) == 0);
    const auto asked = std::chrono::steady_clock::now();
    while (body_of(with.ask()) == "answer 1") {}
    CHECK(std::chrono::steady_clock::now() - asked < 1s);
    CHECK(std::system((purge + "'two words'").c_str()) != 0);
    CHECK(std::system((purge + "--all").c_str()) == 0);
}
