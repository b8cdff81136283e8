#pragma once

#include "async/task_group.hpp"
#include "inbox/consumer.hpp"
#include "inbox/dead_letters.hpp"
#include "kafka/producer.hpp"
#include "relais/identity/v1/contact_snapshots.pb.h"
#include "relais/market/v1/job_events.pb.h"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "support/kafka_topics.hpp"
#include "support/topic_names.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <string>
#include <vector>

namespace relais::test {

/// How the handler of the tests fails events: short waits, few attempts.
inline inbox::policy quick_policy() {
    return {.curve = inbox::curve::constant,
            .first = std::chrono::milliseconds(100),
            .attempts_max = 3,
            .handler_deadline = std::chrono::seconds(1),
            .snapshot_wait = std::chrono::seconds(3)};
}

/// One instance of a consumer. Its handler writes each job's category into the table `effect`, and
/// does what the category says: "fail-2" fails the first 2 attempts, "invalid" is refused for good,
/// "throw" throws, "break" breaks a constraint, "abort" ends the process, "hang" never comes back,
/// "meet" waits for another event's handler and fails without one.
class inbox_instance {
public:
    enum class handlers { one_by_one, batches };

    inbox_instance(const std::string& database_url, const std::string& prefix,
                   const std::string& name, boost::asio::io_context& loop,
                   std::size_t batch_max = 200, handlers how = handlers::one_by_one,
                   int parallel_keys = 1);

    void start();
    /// The whole of an orderly end.
    void stop();

    inbox::consumer& consumer() {
        return consumer_;
    }

    metrics::registry& metrics() {
        return metrics_;
    }

private:
    void register_handlers();

    boost::asio::io_context& loop_;
    metrics::registry metrics_;
    pg::pool pool_;
    inbox::consumer consumer_;
    async::task_group tasks_;
};

/// Topics and a database of their own, a producer that stands in for web-api's relay, and a loop.
class inbox_rig {
public:
    explicit inbox_rig(std::uint32_t partitions = 3);

    kafka_topics topics;
    test::database database;
    boost::asio::io_context loop{1};
    metrics::registry metrics;
    kafka::producer producer;
    std::uint64_t lsn = 100;
    std::string source = "web-api:1";

    inbox_instance make_instance(const std::string& name = "one", std::size_t batch_max = 200) {
        return {database.url(), topics.prefix(), name, loop, batch_max};
    }

    /// One whose handler takes batches, and notes each in the table `batch`.
    inbox_instance make_batch_instance(std::size_t batch_max = 200) {
        return {database.url(), topics.prefix(), "one",
                loop,           batch_max,       inbox_instance::handlers::batches};
    }

    /// One that divides each batch among so many transactions.
    inbox_instance make_divided_instance(int parallel_keys) {
        return {
            database.url(), topics.prefix(), "one", loop, 200, inbox_instance::handlers::one_by_one,
            parallel_keys};
    }

    /// An event at the next position of the relay.
    events::event make_job(const std::string& job, const std::string& category);
    events::event make_contact(const std::string& account, std::uint64_t version);
    events::event placed(events::event value);

    void send(const events::event& value);
    void send(const kafka::record& value);

    void publish(const std::string& job, const std::string& category) {
        send(make_job(job, category));
    }

    /// Lets the loop run until the condition holds.
    template <class Condition>
    void wait_until(Condition holds, std::chrono::seconds at_most = std::chrono::seconds(30)) {
        const auto limit = std::chrono::steady_clock::now() + at_most;
        while (!holds()) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            loop.restart();
            loop.run_for(std::chrono::milliseconds(10));
        }
    }

    /// The categories that were handled, in the order of their effects; of one job, or of all.
    std::vector<std::string> effects(const std::string& job = "") const;
    std::int64_t count(const std::string& table) const;
    void wait_for_effects(std::size_t number);
    void wait_for_count(const std::string& table, std::int64_t number);
};

} // namespace relais::test
