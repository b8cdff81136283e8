#include "functional/web_api_fixture.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "relais/market/v1/job_snapshots.pb.h"

#include <algorithm>
#include <set>

using namespace relais;
using namespace relais::test;
using namespace std::chrono_literals;

namespace {

std::string job_body(const std::string& category = "gardening",
                     const std::string& locality = "Gent") {
    return R"({"category":")" + category + R"(","locality":")" + locality +
           R"(","title":"Haag snoeien","description":"Twintig meter,\ntwee meter hoog.",)" +
           R"("budget":{"amount_minor":30000,"currency":"EUR"}})";
}

const std::string offer_body = R"({"amount_minor":28000,"currency":"EUR","message":"Ik kom."})";

std::string publish(web_api_fixture& api, const web_api_fixture::person& owner,
                    const std::string& body = job_body()) {
    const auto answer = api.call("POST", "/v1/jobs", body, {.caller = owner.identity});
    REQUIRE(answer.status == 201);
    const std::string id(parse_object(answer).at("id").as_string());
    CHECK(answer.headers.find("Location") == "/v1/jobs/" + id);
    return id;
}

std::string offer(web_api_fixture& api, const web_api_fixture::person& provider,
                  const std::string& job) {
    const auto answer =
        api.call("POST", "/v1/jobs/" + job + "/offers", offer_body, {.caller = provider.identity});
    REQUIRE(answer.status == 201);
    return std::string(parse_object(answer).at("id").as_string());
}

/// Reads a list to its end; ids in the order they came.
std::vector<std::string> read_list(web_api_fixture& api, const std::string& target,
                                   const request_options& how = {}) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
        const auto separator = target.contains('?') ? "&" : "?";
        const auto page = api.call(
            "GET", target + (cursor.empty() ? "" : separator + ("cursor=" + cursor)), "", how);
        REQUIRE(page.status == 200);
        const auto body = parse_object(page);
        for (const auto& item : body.at("items").as_array()) {
            ids.emplace_back(item.as_object().at("id").as_string());
        }
        const auto& next = body.at("next_cursor");
        cursor = next.is_null() ? "" : std::string(next.as_string());
    } while (!cursor.empty());
    return ids;
}

} // namespace

TEST_CASE("a published job can be read by everybody", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto id = publish(api, anneke);
    const auto read = api.call("GET", "/v1/jobs/" + id);
    REQUIRE(read.status == 200);
    const auto job = parse_object(read);
    CHECK(job.at("state") == "open");
    CHECK(job.at("requester_id") == as_json(anneke.account.text()));
    CHECK(job.at("budget").as_object().at("amount_minor") == 30000);
    CHECK(job.at("description") == "Twintig meter,\ntwee meter hoog.");
    CHECK(job.at("accepted_offer_id").is_null());
    CHECK(api.call("GET", "/v1/jobs/" + job_id::make().text()).status == 404);

    const auto snapshot = api.events("JobSnapshot").at(0);
    CHECK(snapshot.key == id);
    CHECK(snapshot.as<market::v1::JobSnapshot>().title() == "Haag snoeien");
    const auto published = api.events("JobPublished").at(0);
    CHECK(published.needs_job == id + ":1");
    CHECK(published.as<market::v1::JobPublished>().budget().currency() == "EUR");
    CHECK_FALSE(published.payload.contains("Haag"));
}

TEST_CASE("an amount is a whole number of cents, however it is written", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto status = [&](const std::string& amount) {
        auto body = job_body();
        body.replace(body.find("30000"), 5, amount);
        return api.call("POST", "/v1/jobs", body, {.caller = anneke.identity}).status;
    };
    CHECK(status("30000.0") == 201);
    CHECK(status("3e4") == 201);
    for (const std::string wrong : {"30000.5", "0", "-1", "1e30", "\"30000\"", "null", "true"}) {
        CHECK(status(wrong) == 422);
    }
}

TEST_CASE("pages of jobs neither lose nor repeat any, equal times included", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    std::set<std::string> all;
    std::set<std::string> plumbing;
    for (int i = 0; i < 40; ++i) {
        if (i % 10 == 0) {
            api.time.advance(1us);
        }
        const bool pipes = i % 3 == 0;
        const auto id = publish(api, anneke, job_body(pipes ? "plumbing" : "gardening"));
        all.insert(id);
        if (pipes) {
            plumbing.insert(id);
        }
    }
    for (const std::string limit : {"1", "7", "10", "39", "40", "100"}) {
        const auto ids = read_list(api, "/v1/jobs?limit=" + limit);
        CHECK(ids.size() == all.size());
        CHECK(std::set(ids.begin(), ids.end()) == all);
    }
    const auto filtered = read_list(api, "/v1/jobs?category=plumbing&locality=Gent&limit=3");
    CHECK(filtered.size() == plumbing.size());
    CHECK(std::set(filtered.begin(), filtered.end()) == plumbing);
    CHECK(read_list(api, "/v1/jobs?locality=Brugge").empty());
}

TEST_CASE("a page that was not asked for properly is refused", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    publish(api, anneke);
    publish(api, anneke);
    const auto first = api.call("GET", "/v1/jobs?limit=1");
    const std::string cursor(parse_object(first).at("next_cursor").as_string());

    struct line {
        std::string query;
        std::string problem;
    };

    const std::vector<line> table{
        {"limit=0", "invalid-limit /query/limit"},
        {"limit=101", "invalid-limit /query/limit"},
        {"limit=ten", "invalid-limit /query/limit"},
        {"limit=", "invalid-limit /query/limit"},
        {"limit=99999999999999999999999", "invalid-limit /query/limit"},
        {"cursor=" + cursor + "&category=gardening", "invalid-cursor /query/cursor"},
        {"cursor=nonsense", "invalid-cursor /query/cursor"},
        {"category=", "empty-text /query/category"},
        {"category=%0A", "forbidden-character /query/category"},
        {"sort=price", "unknown-parameter /query"},
    };
    for (const auto& [query, problem] : table) {
        const auto answer = api.call("GET", "/v1/jobs?" + query);
        INFO(query << " → " << answer.body);
        CHECK(answer.status == 422);
        CHECK(first_problem(answer) == problem);
    }
    CHECK(api.call("GET", "/v1/jobs?limit=1&limit=2").status == 400);
}

TEST_CASE("offers are made on other people's open jobs and seen by the owner", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const auto job = publish(api, anneke);
    const auto path = "/v1/jobs/" + job + "/offers";
    const auto own = api.call("POST", path, offer_body, {.caller = anneke.identity});
    CHECK(own.status == 403);
    CHECK(slug_of(own) == "own-job");
    const auto id = offer(api, luc, job);
    const auto made = api.events("OfferMade").at(0);
    CHECK(made.key == job);
    CHECK(made.needs_contact == anneke.account.text() + ":1");
    CHECK(made.needs_job == job + ":1");
    CHECK(made.as<market::v1::OfferMade>().provider_id() == luc.account.text());
    CHECK_FALSE(made.payload.contains("Ik kom."));

    CHECK(read_list(api, path + "?limit=1", {.caller = anneke.identity}) ==
          std::vector<std::string>{id});
    CHECK(api.call("GET", path, "", {.caller = luc.identity}).status == 403);
    const auto nowhere = "/v1/jobs/" + job_id::make().text() + "/offers";
    CHECK(api.call("POST", nowhere, offer_body, {.caller = luc.identity}).status == 404);

    for (int i = 1; i < 10; ++i) {
        offer(api, luc, job);
    }
    const auto eleventh = api.call("POST", path, offer_body, {.caller = luc.identity});
    CHECK(eleventh.status == 409);
    CHECK(slug_of(eleventh) == "too-many-offers");
}

TEST_CASE("only the owner accepts, once, and the state is told to who comes late", "[web-api]") {
    web_api_fixture api;
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const auto job = publish(api, anneke);
    const auto id = offer(api, luc, job);
    const auto other = offer(api, luc, job);
    const auto path = "/v1/offers/" + id + "/acceptance";
    CHECK(api.call("POST", path, "", {.caller = luc.identity}).status == 403);
    CHECK(api.call("POST", path, R"({"price":1})", {.caller = anneke.identity}).status == 422);
    const auto accepted = api.call("POST", path, "{}", {.caller = anneke.identity});
    REQUIRE(accepted.status == 200);
    CHECK(parse_object(accepted).at("superseded_offer_ids").as_array().at(0) == as_json(other));
    const auto again = api.call("POST", path, "{}", {.caller = anneke.identity});
    CHECK(again.status == 409);
    CHECK(slug_of(again) == "state-conflict");
    CHECK(parse_object(again).at("detail") == "the job is assigned");
    const auto late =
        api.call("POST", "/v1/jobs/" + job + "/offers", offer_body, {.caller = luc.identity});
    CHECK(late.status == 409);

    const auto events = api.events("OfferAccepted");
    REQUIRE(events.size() == 1);
    CHECK(events[0].needs_contact == luc.account.text() + ":1");
    CHECK(events[0].as<market::v1::OfferAccepted>().superseded_offer_ids(0) == other);
    const auto shown = parse_object(api.call("GET", "/v1/jobs/" + job));
    CHECK(shown.at("state") == "assigned");
    CHECK(shown.at("accepted_offer_id") == as_json(id));
    CHECK(read_list(api, "/v1/jobs").empty());
}

TEST_CASE("of many acceptances at once exactly one wins", "[web-api]") {
    web_api_fixture api(8);
    const auto anneke = api.register_person("anneke@example.org");
    const auto job = publish(api, anneke);
    std::vector<http::request> requests;
    for (int i = 0; i < 24; ++i) {
        const auto provider = api.register_person("p" + std::to_string(i) + "@example.org");
        const auto path = "/v1/offers/" + offer(api, provider, job) + "/acceptance";
        requests.push_back(api.make_request("POST", path, "{}", {.caller = anneke.identity}));
    }
    const auto answers = api.call_all(std::move(requests));
    CHECK(std::ranges::count(answers, 200, &http::response::status) == 1);
    CHECK(std::ranges::count(answers, 409, &http::response::status) == 23);
    CHECK(api.database.query("select state, count(*) from offer group by 1 order by 1") ==
          std::vector<std::vector<std::string>>{{"accepted", "1"}, {"superseded", "23"}});
    const auto events = api.events("OfferAccepted");
    REQUIRE(events.size() == 1);
    CHECK(events[0].as<market::v1::OfferAccepted>().superseded_offer_ids_size() == 23);
}

TEST_CASE("no offer slips in behind an acceptance", "[web-api]") {
    web_api_fixture api(8);
    const auto anneke = api.register_person("anneke@example.org");
    const auto luc = api.register_person("luc@example.org");
    const auto emma = api.register_person("emma@example.org");
    for (int round = 0; round < 10; ++round) {
        const auto job = publish(api, anneke);
        const auto accept = "/v1/offers/" + offer(api, luc, job) + "/acceptance";
        std::vector<http::request> requests;
        for (int i = 0; i < 4; ++i) {
            requests.push_back(api.make_request("POST", "/v1/jobs/" + job + "/offers", offer_body,
                                                {.caller = emma.identity}));
        }
        requests.insert(requests.begin() + 2,
                        api.make_request("POST", accept, "{}", {.caller = anneke.identity}));
        api.call_all(std::move(requests));
    }
    CHECK(api.database.value("select count(*) from offer where state = 'submitted'") == "0");
}
