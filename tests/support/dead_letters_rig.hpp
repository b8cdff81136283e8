#pragma once

#include "inbox/dead_letter_audit.hpp"
#include "inbox/dead_letters.hpp"
#include "inbox/parking.hpp"
#include "inbox/stored_json.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "support/await_on.hpp"
#include "support/database.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace relais::test {

/// A consumer's database with dead letters in it, without the consumer.
struct dead_letters_rig {
    test::database database;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    pg::pool pool{database.pool_settings(2), metrics, log::logger()};
    system_clock time;
    inbox::place at{"group", {"market.job.events.v1", 0}};
    std::int64_t last_id = 0;

    template <class Work>
    auto transact(Work work) {
        return test::await_on(loop, pool.transact("test", work));
    }

    dead_letters_rig() {
        REQUIRE(transact([&](pg::transaction& tx) -> result<void> {
            inbox::begin_partitions(tx, at.group, {at.where});
            return {};
        }));
    }

    struct letter {
        std::string job = "job-a";
        std::int64_t offset = 0;
        std::string slug = "no-account";
        std::string detail = "none 17";
        std::uint32_t redrives = 0;
        bool readable = true;
    };

    /// Its id.
    std::int64_t bury(const letter& what) {
        market::v1::JobPublished job;
        job.set_job_id(what.job);
        job.set_category("old");
        const auto event = events::make_event(job, "web-api", {}, time.now());
        auto record = kafka::to_record(event);
        record.partition = at.where.partition;
        record.offset = what.offset;
        record.time = time.now();
        if (!what.readable) {
            record.headers.clear();
        }
        const error why{error_kind::invalid, what.slug, what.detail, "", std::nullopt};
        REQUIRE(transact([&](pg::transaction& tx) -> result<void> {
            inbox::bury(tx, at,
                        {.record = &record,
                         .event = what.readable ? &event : nullptr,
                         .reason = what.slug,
                         .attempts = 1,
                         .redrives = what.redrives,
                         .errors = inbox::failure_to_json(why, 1, time.now())});
            return {};
        }));
        return last_id = std::stoll(database.value("select max(id) from inbox_dead_letter"));
    }

    result<void> redrive(std::int64_t id, const inbox::deed& doing = {"anna", ""}) {
        return transact(
            [&](pg::transaction& tx) { return inbox::redrive(tx, id, time.now(), doing); });
    }

    std::string count(const std::string& table_and_condition) const {
        return database.value("select count(*) from " + table_and_condition);
    }
};

} // namespace relais::test
