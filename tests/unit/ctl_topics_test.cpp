#include "ctl/command.hpp"
#include "ctl/topics_page.hpp"
#include "events/event.hpp"
#include "events/payload_json.hpp"
#include "inbox/record_json.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "support/environment.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <set>
#include <sstream>

using namespace relais;

TEST_CASE("proto/TOPICS.md is the page of topics.textproto", "[ctl]") {
    std::ifstream file(test::source_dir() + "/proto/TOPICS.md");
    std::stringstream text;
    text << file.rdbuf();
    INFO("write it again: relaisctl topics page > proto/TOPICS.md");
    CHECK(text.str() == ctl::topics_page(events::all_topics()));
}

TEST_CASE("words are taken apart into options, flags and the rest", "[ctl]") {
    const std::vector<std::string> words{"tail", "topic", "--count", "3", "--json", "--count", "4"};
    const auto given = ctl::arguments::parse(words, {"--count"}, {"--json"});
    REQUIRE(given);
    CHECK(given->rest() == std::vector<std::string>{"tail", "topic"});
    CHECK(given->value("--count") == "4");
    CHECK(given->values("--count").size() == 2);
    CHECK(given->has("--json"));
    CHECK_FALSE(given->value("--from"));
    CHECK(ctl::arguments::parse(words, {"--count"}, {}).error().detail == "unknown option --json");
    CHECK_FALSE(ctl::arguments::parse(std::vector<std::string>{"--count"}, {"--count"}, {}));
}

TEST_CASE("every command has a name of its own and says how it is used", "[ctl]") {
    std::set<std::string> names;
    for (const auto& each : ctl::all_commands()) {
        CHECK(names.insert(each.name).second);
        CHECK(each.usage.starts_with(each.name));
        CHECK_FALSE(each.summary.empty());
    }
    CHECK(names.contains("dead-letters"));
}

TEST_CASE("wrong words are exit code 2, failures 1", "[ctl]") {
    const ctl::context nothing{};
    const auto run = [&](std::vector<std::string> words) {
        return ctl::run(nothing, words);
    };
    CHECK(run({}) == 2);
    CHECK(run({"nonsense"}) == 2);
    CHECK(run({"help"}) == 0);
    CHECK(run({"topics", "list"}) == 0);
    CHECK(run({"topics", "nonsense"}) == 2);
    CHECK(run({"topics", "apply"}) == 1); // RELAIS_KAFKA_BROKERS is not set
    CHECK(run({"events", "tail"}) == 2);
    CHECK(run({"events", "tail", "t", "--count", "many"}) == 2);
    CHECK(run({"dead-letters", "show", "7"}) == 2);
    CHECK(run({"dead-letters", "show", "seven", "--service", "upload"}) == 2);
    CHECK(run({"outbox", "--service", "gateway"}) == 2);
}

TEST_CASE("a record is shown with its message decoded", "[ctl]") {
    relais::market::v1::JobPublished job;
    job.set_job_id("job-1");
    job.mutable_budget()->set_amount_minor(12'500);
    kafka::record record{.topic = "market.job.events.v1",
                         .key = "job-1",
                         .value = job.SerializeAsString(),
                         .headers = {{"ce_type", "relais.market.v1.JobPublished"}},
                         .partition = 3,
                         .offset = 17};
    const auto shown = inbox::record_json(record);
    CHECK(shown.find(R"("partition":3,"offset":17)") != std::string::npos);
    CHECK(shown.find(R"("data":{"job_id":"job-1")") != std::string::npos);
    CHECK(shown.find(R"("amount_minor":"12500")") != std::string::npos);
    record.value = "\xff";
    CHECK(inbox::record_json(record).find(R"("data_base64url":"_w")") != std::string::npos);
    record.value.reset();
    CHECK(inbox::record_json(record).find(R"("data":null)") != std::string::npos);
    CHECK_FALSE(events::payload_to_json("no.such.Type", ""));
}
