#include "inbox/dead_letter_routes.hpp"
#include "support/dead_letters_rig.hpp"

using namespace relais;

namespace {

struct rig : test::dead_letters_rig {
    http::router router{inbox::dead_letter_routes(pool, time, log::logger())};

    result<http::response> ask(const std::string& method, const std::string& target,
                               const std::string& body = "") {
        http::request request;
        request.method = method;
        request.path = target.substr(0, target.find('?'));
        request.query =
            target.find('?') == std::string::npos ? "" : target.substr(target.find('?') + 1);
        request.body = body;
        const auto found = router.find(method, request.path);
        REQUIRE(found.route != nullptr);
        request.path_parameters = found.parameters;
        return test::await_on(loop, found.route->handle(request));
    }

    std::string text(const std::string& method, const std::string& target,
                     const std::string& body = "") {
        const auto answer = ask(method, target, body);
        return answer ? answer->body : answer.error().slug;
    }
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the admin API shows dead letters", "[inbox]") {
    rig on;
    const auto id = std::to_string(on.bury({}));
    on.bury({.offset = 1, .slug = "other"});
    for (const auto& route : on.router.table()) {
        CHECK(route.access == http::access::internal);
    }
    CHECK(has(on.text("GET", "/dead-letters"), R"({"dead_letters":[{"id":)" + id));
    CHECK_FALSE(has(on.text("GET", "/dead-letters?reason=other"), R"("reason":"no-account")"));
    CHECK(has(on.text("GET", "/dead-letters/groups"), R"("pattern":"none <n>")"));
    const auto one = on.text("GET", "/dead-letters/" + id);
    CHECK(has(one, R"("data":{"job_id":"job-a")"));
    CHECK(has(one, R"("detail": "none 17")"));
    CHECK(on.text("GET", "/dead-letters/999") == "no-such-dead-letter");
    CHECK(on.text("GET", "/dead-letters/x") == "unknown-value");
    CHECK(on.text("GET", "/dead-letters?limit=1001") == "unknown-value");
    CHECK(on.text("GET", "/dead-letters/audit?letter=0") == "unknown-value");
}

TEST_CASE("the admin API changes dead letters only when it is meant, and notes who", "[inbox]") {
    rig on;
    const auto id = std::to_string(on.bury({}));
    const auto other = std::to_string(on.bury({.offset = 1}));
    const auto quarantined = std::to_string(on.bury({.offset = 2, .redrives = 1}));
    CHECK(on.text("POST", "/dead-letters/redrive?by=anna") == "unknown-value");  // which ones?
    CHECK(on.text("POST", "/dead-letters/redrive?all=true") == "unknown-value"); // who?
    const auto both = "\"redriven\":[" + id + "," + other + "],\"refused\":[]}";
    CHECK(on.text("POST", "/dead-letters/redrive?all=true&by=anna") == "{\"done\":false," + both);
    CHECK(on.count("inbox_parked") == "0");

    const std::string json = R"({"job_id":"job-a","category":"new"})";
    CHECK(on.text("POST", "/dead-letters/" + id + "/edit?by=anna&yes=true", "{") == "payload-json");
    CHECK(on.text("POST", "/dead-letters/" + id + "/edit?by=anna", json) ==
          "{\"id\":" + id + ",\"done\":false}");
    CHECK(on.count("inbox_dead_letter_audit") == "0");
    CHECK(on.text("POST", "/dead-letters/" + id + "/edit?by=anna&yes=true", json) ==
          "{\"id\":" + id + ",\"done\":true}");
    CHECK(has(on.text("GET", "/dead-letters/" + id), R"("edited_record":{)"));

    CHECK(on.text("POST", "/dead-letters/redrive?all=true&by=anna&yes=true") ==
          "{\"done\":true," + both);
    CHECK(on.text("POST", "/dead-letters/" + id + "/redrive?by=bert&yes=true") ==
          "already-redriven");
    const auto path = "/dead-letters/" + quarantined;
    CHECK(on.text("POST", path + "/discard?by=bert&yes=true") == "reason-missing");
    CHECK(has(on.text("POST", path + "/discard?by=bert&why=no%20use&yes=true"), "true"));
    CHECK(on.count("inbox_parked") == "2");
    CHECK(has(on.text("GET", "/dead-letters/audit?letter=" + quarantined),
              R"("who":"bert","what":"discard","why":"no use")"));
    CHECK(on.text("GET", "/dead-letters") == R"({"dead_letters":[]})");
    CHECK(has(on.text("GET", "/dead-letters?settled=true"), R"("state":"discarded")"));
}

TEST_CASE("the admin API redrives at a rate", "[inbox]") {
    rig on;
    for (int i = 0; i < 60; ++i) {
        on.bury({.offset = i});
    }
    const std::string all = "/dead-letters/redrive?all=true&by=anna&rate=";
    CHECK(on.text("POST", all + "0") == "unknown-value");
    CHECK(on.text("POST", all + "1&yes=true") ==
          "too-slow"); // 60 s: longer than a request may take
    CHECK(on.count("inbox_parked") == "0");
    CHECK(has(on.text("POST", all + "1"), R"({"done":false,)")); // a dry run does not wait
    const auto begin = std::chrono::steady_clock::now();
    CHECK(has(on.text("POST", all + "100&yes=true"), R"({"done":true,)"));
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(590));
    CHECK(on.count("inbox_parked") == "60");
}
