#pragma once

#include "async/task_group.hpp"
#include "backbone/options.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/io_context.hpp>

#include <string>

namespace relais::backbone {

/// The topic that all nodes use, one of the catalogue under the prefix of the run. Its lane is the
/// interactive one.
inline constexpr const char* topic_name = "market.job.events.v1";

/// What bulk work goes to (--bulk 1). No topic of the catalogue has the bulk lane; this one's is
/// the default lane, whose consumers get more threads than bulk work would.
inline constexpr const char* bulk_topic_name = "marketing.campaign.requests.v1";

/// What every kind of node has: the loop, its tasks, and a way to end: SIGTERM, or done().
class node {
public:
    /// The log goes to the standard error, the report to the standard output.
    node(const options& given, std::string kind);

    const options& given() const {
        return given_;
    }

    boost::asio::io_context& loop() {
        return loop_;
    }

    metrics::registry& metrics() {
        return metrics_;
    }

    const log::logger& logger() const {
        return logger_;
    }

    async::task_group& tasks() {
        return tasks_;
    }

    pg::pool_settings pool_settings(std::size_t connections) const;

    /// Runs the loop until SIGTERM, SIGINT or done(), then cancels the tasks and waits for them.
    void run();

    /// Ends run().
    void done();

private:
    options given_;
    std::string kind_;
    boost::asio::io_context loop_{1};
    metrics::registry metrics_;
    log::logger logger_;
    async::task_group tasks_;
    bool ending_ = false;
};

// The kinds, one function each; they return when the node ends. Errors of the environment throw.

/// --url DATABASE --side source|sink --migrations DIR: migrations and the tables of the run.
void prepare(const options& given);
/// --brokers LIST --prefix TEXT --partitions N, or --remove 1; --bulk 1: of the bulk topic.
void manage_topics(const options& given);
void write_events(const options& given);
void relay_events(const options& given);
void consume_events(const options& given);
void run_timers(const options& given);
/// Produces without a database: --events N, or copies of what is there: --duplicates N.
void produce_events(const options& given);

} // namespace relais::backbone
