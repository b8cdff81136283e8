#pragma once

#include "async/task_group.hpp"
#include "outbox/outbox.hpp"
#include "outbox/relay.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/kafka_topics.hpp"
#include "support/topic_names.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <map>
#include <set>

namespace relais::test {

/// One instance of a relay, with a registry of its own.
struct relay_instance {
    metrics::registry metrics;
    outbox::relay relay;
    async::task_group tasks;

    relay_instance(const std::string& database_url, const std::string& prefix,
                   boost::asio::io_context& loop, const std::string& brokers,
                   outbox::relay_options options = {})
        : relay({.service = "web-api",
                 .database_url = database_url,
                 .producer = {.brokers = brokers,
                              .client_id = "relay",
                              .topic_prefix = prefix,
                              .unknown_topic_after = std::chrono::seconds(2)},
                 .options = options,
                 .standby_retry = std::chrono::milliseconds(50)},
                loop, metrics, log::logger()),
          tasks(loop, [](const std::string& name, const std::string& what) {
              FAIL(name << ": " << what);
          }) {}

    void start() {
        tasks.spawn("relay", relay.run());
    }

    double published() {
        return metrics.counter("outbox_published_total", "Events confirmed by the broker").value();
    }
};

/// For what must hold in either mode: GENERATE_COPY(both_modes()).
inline auto both_modes() {
    return Catch::Generators::values({outbox::relay_mode::logical, outbox::relay_mode::polling});
}

/// A database and topics of their own, and a loop.
struct outbox_rig {
    explicit outbox_rig(outbox::relay_mode of_relays = outbox::relay_mode::logical)
        : mode(of_relays) {}

    /// Of the relays that this makes, unless they are told otherwise.
    outbox::relay_mode mode;
    // As the topics file says, else relays refuse, and as `relaisctl topics apply` makes them.
    kafka_topics topics{{job_topic}, 12, kafka::broker_times()};
    test::database database;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    pg::pool pool{database.pool_settings(1), metrics, log::logger()};

    relay_instance make_relay(outbox::relay_options options) {
        return {database.url(), topics.prefix(), loop, kafka_topics::brokers(), options};
    }

    relay_instance make_relay() {
        return make_relay({.mode = mode});
    }

    void stop(relay_instance& which) {
        which.tasks.cancel();
        await_on(loop, which.tasks.join());
    }

    /// Lets the loop run until the condition holds.
    template <class Condition>
    void wait_until(Condition holds, std::chrono::seconds at_most = std::chrono::seconds(60)) {
        const auto limit = std::chrono::steady_clock::now() + at_most;
        while (!holds()) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            loop.restart();
            loop.run_for(std::chrono::milliseconds(20)); // not run_one: looking may take long
        }
    }

    template <class Work>
    auto transact(Work work) {
        return await_on(loop, pool.transact("test", work));
    }

    /// Events of one transaction, through SQL; `number` is the value.
    void insert(const std::string& key, int first, int last) const {
        database.query("insert into outbox_event (id, topic, key, headers, value)"
                       " select id, '" +
                       job_topic + "', '" + key +
                       "', json_build_object('ce_id', id), n::text::bytea from"
                       " (select gen_random_uuid() as id, n from generate_series(" +
                       std::to_string(first) + ", " + std::to_string(last) + ") n) events");
    }

    /// SQL for a value of so many bytes that nothing can compress.
    static std::string noise(int size) {
        return "substr((select string_agg(decode(md5(random()::text || n), 'hex'), '')"
               " from generate_series(0, " +
               std::to_string(size / 16) + ") n), 1, " + std::to_string(size) + ")";
    }

    /// One event with a value of this size, on any topic.
    void insert_sized(const std::string& topic, const std::string& key, int size) const {
        database.query("insert into outbox_event (id, topic, key, headers, value)"
                       " select id, '" +
                       topic + "', '" + key +
                       "', json_build_object('ce_id', id, 'ce_type', 'a.B'), " + noise(size) +
                       " from (select gen_random_uuid() as id) e");
    }

    std::vector<kafka::record> read_all() {
        return topics.read_all(job_topic);
    }
};

inline std::string header(const kafka::record& record, std::string_view name) {
    for (const auto& [key, value] : record.headers) {
        if (key == name) {
            return value;
        }
    }
    return "";
}

/// Position as a consumer compares it: epoch, commit position, index.
inline std::tuple<std::uint64_t, std::string, std::uint64_t> position(const kafka::record& of) {
    const auto source = header(of, "x-src");
    return {std::stoull(source.substr(source.rfind(':') + 1)), header(of, "x-lsn"),
            std::stoull(header(of, "x-idx"))};
}

/// What is left when each partition's records at or below the highest position are dropped, as the
/// inbox does: values per key, in order.
inline std::map<std::string, std::vector<std::string>>
deduplicated(const std::vector<kafka::record>& records) {
    std::map<std::int32_t, std::tuple<std::uint64_t, std::string, std::uint64_t>> watermark;
    std::map<std::string, std::vector<std::string>> values;
    for (const auto& record : records) {
        auto& highest = watermark[record.partition];
        if (position(record) > highest) {
            highest = position(record);
            values[record.key].push_back(record.value.value_or("<null>"));
        }
    }
    return values;
}

inline std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> made;
    for (int n = first; n <= last; ++n) {
        made.push_back(std::to_string(n));
    }
    return made;
}

} // namespace relais::test
