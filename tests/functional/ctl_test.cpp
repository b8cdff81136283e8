#include "ctl/outbox_state.hpp"
#include "ctl/topics_apply.hpp"
#include "events/topics.hpp"
#include "kafka/producer.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/environment.hpp"
#include "support/kafka_topics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

using namespace relais;
using namespace std::chrono_literals;

namespace {

constexpr const char* job_topic = "market.job.events.v1";

struct rig {
    test::kafka_topics topics{{job_topic}, 3};
    std::vector<std::string> said;

    /// Some topics of the catalogue, under this test's prefix.
    std::vector<events::topic> wanted(std::uint32_t job_partitions) const {
        auto job = *events::find_topic(job_topic);
        job.partitions = job_partitions;
        job.retention = 100h; // another one than the broker's default
        auto contact = *events::find_topic("identity.contact.snapshots.v1");
        contact.partitions = 2;
        for (auto* each : {&job, &contact}) {
            each->name = topics.prefix() + each->name;
        }
        return {job, contact};
    }

    result<void> apply(const std::vector<events::topic>& topics_wanted, bool only_check) {
        said.clear();
        return ctl::apply_topics(topics.admin(), topics_wanted,
                                 {.only_check = only_check, .say = [this](const std::string& line) {
                                      said.push_back(line);
                                  }});
    }

    bool was_said(const std::string& part) const {
        return std::ranges::any_of(
            said, [&](const auto& line) { return line.find(part) != std::string::npos; });
    }
};

/// Standard output of a relaisctl that was run by the shell.
std::string output_of(const std::string& arguments) {
    const std::string line = "RELAIS_KAFKA_BROKERS=" + test::kafka_topics::brokers() + " " +
                             test::build_dir() + "/bin/relaisctl " + arguments;
    std::FILE* from = popen(line.c_str(), "r");
    REQUIRE(from != nullptr);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), from)) {
        text.append(buffer.data(), size);
    }
    REQUIRE(pclose(from) == 0);
    return text;
}

} // namespace

TEST_CASE("topics are made, checked and mended, but never repartitioned", "[ctl]") {
    rig on;
    auto wanted = on.wanted(3);
    CHECK(on.apply(wanted, true).error().slug == "topic-settings"); // the test made it bare
    CHECK(on.was_said("topics apply"));
    REQUIRE(on.apply(wanted, false));
    CHECK(on.was_said("created, 2 partitions"));
    CHECK(on.was_said("message.timestamp.type is CreateTime instead of LogAppendTime"));
    CHECK(on.was_said("retention.ms is"));
    REQUIRE(on.apply(wanted, true));
    const auto config =
        on.topics.admin().config(wanted[1].name, {"cleanup.policy", "max.compaction.lag.ms"});
    REQUIRE(config);
    CHECK(config->at("cleanup.policy") == "compact");
    CHECK(config->at("max.compaction.lag.ms") == "86400000");
    const auto times = on.topics.admin().config(wanted[0].name, {"message.timestamp.type"});
    REQUIRE(times);
    CHECK(times->at("message.timestamp.type") == "LogAppendTime");

    wanted = on.wanted(6);
    CHECK(on.apply(wanted, false).error().slug == "partition-count");
    CHECK(on.was_said("has 3 partitions, the topics file says 6"));
    CHECK(on.topics.admin().offsets(wanted[0].name)->size() == 3);
    REQUIRE(on.topics.admin().remove(wanted[1].name));
}

TEST_CASE("events tail prints events decoded", "[ctl]") {
    rig on;
    boost::asio::io_context loop(1);
    metrics::registry metrics;
    kafka::producer producer({.brokers = test::kafka_topics::brokers(),
                              .client_id = "test",
                              .topic_prefix = on.topics.prefix()},
                             loop, metrics, log::logger());
    for (int i = 0; i < 5; ++i) {
        relais::market::v1::JobPublished job;
        job.set_job_id("job-" + std::to_string(i));
        const auto event = events::make_event(job, "web-api", {}, system_clock().now());
        REQUIRE(test::await_on(loop, producer.send(kafka::to_record(event))));
    }
    const auto all = output_of("events tail " + on.topics.prefix() + job_topic +
                               " --from beginning --count 5 --timeout 30");
    CHECK(std::ranges::count(all, '\n') == 5);
    for (int i = 0; i < 5; ++i) {
        CHECK(all.find(R"("data":{"job_id":"job-)" + std::to_string(i) + "\"") !=
              std::string::npos);
    }
    CHECK(output_of("events tail " + on.topics.prefix() + job_topic + " --timeout 1").empty());
}

TEST_CASE("outbox shows what waits to be published", "[ctl]") {
    const test::database database;
    boost::asio::io_context loop(1);
    metrics::registry metrics;
    pg::pool pool(database.pool_settings(1), metrics, log::logger());
    const auto look = [&] {
        return test::await_on(loop,
                              pool.transact("look",
                                            [](pg::transaction& tx) -> result<ctl::outbox_state> {
                                                return ctl::look_at_outbox(tx);
                                            }))
            .value();
    };
    CHECK(look().slot.empty());
    CHECK(look().unsent == 0);
    CHECK(look().staged.empty());
    database.query("insert into outbox_bulk (turn, tenant, id, topic, key, headers)"
                   " select n, case when n < 3 then 'few' else 'many' end, gen_random_uuid(), 't',"
                   " 'k', '{}' from generate_series(1, 10) n");
    database.query("insert into outbox_event (id, topic, key, headers, value)"
                   " values (gen_random_uuid(), 't', 'k', '{}', 'x')");
    database.query("select pg_create_logical_replication_slot('relais_outbox_' ||"
                   " replace(current_database(), '-', '_') || '_1', 'pgoutput')");
    const auto state = look();
    CHECK(state.unsent == 1);
    CHECK(state.oldest_unsent.has_value());
    CHECK(state.slot.starts_with("relais_outbox_"));
    CHECK_FALSE(state.active);
    CHECK(state.lag_bytes >= 0);
    REQUIRE(state.staged.size() == 2);
    CHECK(state.staged[0].tenant == "many");
    CHECK(state.staged[0].count == 8);
    CHECK(state.staged[1].count == 2);
}
