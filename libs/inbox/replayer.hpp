#pragma once

#include "inbox/handlers.hpp"
#include "inbox/invoke.hpp"
#include "inbox/replay.hpp"
#include "inbox/store.hpp"
#include "kafka/consumer.hpp"
#include "postgres/pool.hpp"

#include <set>

namespace relais::inbox {

/// Runs a replay: a reader without a group of Kafka's, one transaction an event. Events of a key
/// that failed are followed by none of its key, so the order holds in a replay, too. A broker or a
/// database that goes away meanwhile is waited for, and the progress says so; without a broker at
/// the beginning there is no replay.
class replayer {
public:
    struct surroundings {
        const consumer_settings& settings;
        const handlers& all;
        pg::pool& database;
        const clock& time;
        boost::asio::io_context& loop;
        metrics::registry& metrics;
        log::logger logger;
    };

    replayer(surroundings with, replay_request what, replay_report report);

    boost::asio::awaitable<result<replay_progress>> run();

private:
    struct stretch_of {
        kafka::topic_partition where;
        std::int64_t next = 0;
        std::int64_t end = 0;
    };

    result<void> find_stretches();
    boost::asio::awaitable<bool> read_some(kafka::consumer& source, stretch_of& part);
    boost::asio::awaitable<result<void>> note_start();
    boost::asio::awaitable<void> handle(const incoming& next);
    boost::asio::awaitable<replayed> run_event(const incoming& next);
    boost::asio::awaitable<result<outcome>> attempt(const incoming& next, const handling& with,
                                                    std::vector<effect>& effects);
    void show_waiting(std::string_view what, std::chrono::steady_clock::time_point since);
    result<outcome> run_in(pg::transaction& tx, const incoming& next, const handling& with,
                           std::vector<effect>& effects) const;
    void count(const replayed& event);
    boost::asio::awaitable<void> forget();

    surroundings with_;
    replay_request what_;
    replay_report report_;
    std::string group_;
    std::vector<stretch_of> parts_;
    std::set<std::string> failed_keys_;
    replay_progress progress_;
};

} // namespace relais::inbox
