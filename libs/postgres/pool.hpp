#pragma once

#include "async/worker_pool.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "postgres/transaction.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

namespace relais::pg {

struct pool_settings {
    std::string url; ///< libpq connection string or URI
    std::string application_name;
    std::size_t connections = 4; ///< one thread each
    std::size_t queue_max = 256;
    std::chrono::milliseconds connect_timeout{800};
    std::chrono::milliseconds statement_timeout{2'000};
    std::chrono::milliseconds lock_timeout{1'000};
};

/// Threads with one connection each. A broken connection is thrown away and opened again by the
/// next job; while the server cannot be reached jobs fail at once with `unavailable` /
/// "database-down" after one quick try, so that requests are answered within a second. Metrics:
/// db_query_duration_seconds{query}, db_connections, db_connects_total, db_errors_total{kind} and
/// the worker pool's.
class pool {
public:
    pool(pool_settings settings, metrics::registry& metrics, log::logger logger);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// Runs work(transaction&) → result<T> in a READ COMMITTED transaction. An error rolls back and
    /// is returned. Serialization failures and deadlocks are tried again (3 times) from the start,
    /// so the function must not have effects of its own. `name` is a metric label: a short
    /// constant. Errors: `unavailable` / "database-down", "db-pool-full"; `timeout` /
    /// "database-timeout"; `conflict` / "unique-violation"; `timeout` / "commit-in-doubt" when the
    /// connection broke during COMMIT (never tried again here: ask by id).
    template <class Work>
    boost::asio::awaitable<std::invoke_result_t<Work, transaction&>>
    transact(std::string name, Work work, async::worker_pool::deadline until = default_deadline()) {
        using outcome = std::invoke_result_t<Work, transaction&>;
        auto job = [this, name, work = std::move(work), until](std::size_t thread) -> outcome {
            outcome answer = fail(error_kind::internal, "not-run");
            const auto body = [&](transaction& tx) -> result<void> {
                answer = work(tx);
                if (!answer) {
                    return fail(answer);
                }
                return {};
            };
            const auto done = run_transaction(thread, name, body, until);
            if (!done) {
                return std::unexpected(done.error());
            }
            return answer;
        };
        auto answer = co_await workers_.run(std::move(job), until);
        co_return answer;
    }

    /// As transact(), for one statement that reads or writes atomically by itself: no BEGIN/COMMIT
    /// round trips (2–5 times the throughput).
    template <class Work>
    boost::asio::awaitable<std::invoke_result_t<Work, transaction&>>
    read(std::string name, Work work, async::worker_pool::deadline until = default_deadline()) {
        using outcome = std::invoke_result_t<Work, transaction&>;
        auto job = [this, name, work = std::move(work), until](std::size_t thread) -> outcome {
            outcome answer = fail(error_kind::internal, "not-run");
            const auto body = [&](transaction& tx) -> result<void> {
                answer = work(tx);
                if (!answer) {
                    return fail(answer);
                }
                return {};
            };
            const auto done = run_statement(thread, name, body, until);
            if (!done) {
                return std::unexpected(done.error());
            }
            return answer;
        };
        auto answer = co_await workers_.run(std::move(job), until);
        co_return answer;
    }

    /// Runs job(thread) → result<T> on a database thread, without a connection: for what belongs to
    /// the work with the database and takes time.
    template <class Job>
    boost::asio::awaitable<std::invoke_result_t<Job, std::size_t>> run(Job job) {
        auto answer = co_await workers_.run(std::move(job), default_deadline());
        co_return answer;
    }

    static async::worker_pool::deadline default_deadline();

    std::size_t connections() const {
        return workers_.threads();
    }

    /// Whether the last attempt to reach the server succeeded (readiness; never blocks).
    bool reachable() const;

    /// Fails when the service's share of connections does not fit the server:
    /// instances_max × connections (+1 for the relay) of all services of RELAIS' budget table plus
    /// the reserve must stay under max_connections. Run once at start. Errors: `invalid` /
    /// "connection-budget" with the sum in words, or what transact() returns.
    boost::asio::awaitable<result<void>> check_connection_budget(std::size_t instances_max);

    void stop();

private:
    using body = std::function<result<void>(transaction&)>;
    result<void> run_transaction(std::size_t thread, const std::string& name, const body& work,
                                 async::worker_pool::deadline until);
    result<void> run_statement(std::size_t thread, const std::string& name, const body& work,
                               async::worker_pool::deadline until);

    struct state;
    std::unique_ptr<state> state_;
    async::worker_pool workers_;
};

} // namespace relais::pg
