#include "postgres/pool.hpp"

#include "async/backoff.hpp"
#include "postgres/connection_budget.hpp"
#include "postgres/connection_string.hpp"
#include "postgres/keeper.hpp"
#include "postgres/pool_metrics.hpp"
#include "postgres/session.hpp"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <stdexcept>
#include <thread>

namespace relais::pg {
namespace {

/// After a failed connect nobody tries for this long.
constexpr std::chrono::milliseconds outage_pause{200};
constexpr unsigned conflict_retries = 3;
constexpr async::backoff conflict_wait{.first = std::chrono::milliseconds(4),
                                       .longest = std::chrono::milliseconds(50)};

using steady = std::chrono::steady_clock;

std::string session_string(const pool_settings& settings) {
    const auto given = parse_connection_string(settings.url);
    if (!given) {
        throw std::invalid_argument("RELAIS_DATABASE_URL: " + given.error().detail);
    }
    const auto text = [](std::chrono::milliseconds value) {
        return std::to_string(value.count());
    };
    return to_connection_string(with_session_defaults(
        *given, settings.application_name,
        {{"statement_timeout", text(settings.statement_timeout)},
         {"lock_timeout", text(settings.lock_timeout)},
         {"idle_in_transaction_session_timeout", text(5 * settings.statement_timeout)}}));
}

std::unexpected<error> server_is_away() {
    return fail(error_kind::unavailable, "database-down", "the server could not be reached");
}

} // namespace

struct pool::state {
    pool_settings settings;
    std::string connection_string;
    log::logger logger;
    detail::pool_metrics metrics;
    outage_gate gate{outage_pause};
    std::atomic<bool> suspicious{false};  ///< a connection broke at work: the keeper shall look
    std::atomic<bool> silent{false};      ///< the server answers nobody: no connection is trusted
    std::deque<detail::session> sessions; // a deque: sessions hold a mutex and cannot move
    detail::keeper keeper;                // last: its thread uses all of the above

    state(pool_settings given, metrics::registry& registry, log::logger log)
        : settings(std::move(given)), connection_string(session_string(settings)),
          logger(std::move(log)), metrics(registry), sessions(settings.connections),
          keeper([this] { look_after(); }, [this] { note_silence(); }) {}

    result<void> connect(detail::session& into);
    void drop(detail::session& from);
    result<void> acquire(detail::session& into);
    void note_outage(std::string_view why);
    void note_silence();
    void look_after();
    result<void> run(detail::session& on, detail::run_mode mode, const body& work,
                     async::worker_pool::deadline until);
    result<void> run_timed(std::size_t thread, const std::string& name, detail::run_mode mode,
                           const body& work, async::worker_pool::deadline until);
};

result<void> pool::state::connect(detail::session& into) {
    try {
        into.link = detail::connection::open(connection_string, settings.connect_timeout, &keeper);
    } catch (const failure& failed) {
        metrics.connects_failed.increment();
        note_outage(failed.reason().detail);
        return std::unexpected(failed.reason());
    } catch (...) {
        note_outage("an unknown failure"); // the gate must not wait for us
        throw;
    }
    into.server_timeout = settings.statement_timeout;
    metrics.connects.increment();
    metrics.open_connections.add(1);
    metrics.reachable.set(1);
    if (gate.succeeded()) {
        logger.info("database.up");
    }
    return {};
}

void pool::state::note_outage(std::string_view why) {
    metrics.reachable.set(0);
    if (gate.failed(steady::now())) {
        logger.warn("database.down", {{"reason", why}});
    }
}

/// On the keeper's watching thread, before it cuts the statements that wait.
void pool::state::note_silence() {
    silent = true;
    note_outage("the server answers nobody");
}

void pool::state::drop(detail::session& from) {
    if (from.link) {
        from.link.reset();
    }
    metrics.open_connections.add(-1);
}

/// A connection that works, as far as one can know without asking the server.
result<void> pool::state::acquire(detail::session& into) {
    if (into.link && into.link->usable()) {
        return {};
    }
    if (into.link) {
        drop(into);
    }
    // Once an outage is known the keeper tries alone: a server that says nothing costs whoever
    // tries the whole limit of a connect.
    if (gate.failing()) {
        return server_is_away();
    }
    return connect(into);
}

/// On the keeper's ticking thread: notices idle connections that broke, and that the server is
/// back.
void pool::state::look_after() {
    bool lost = suspicious.exchange(false);
    const bool distrusted = silent.exchange(false);
    detail::session* empty = nullptr;
    std::unique_lock<std::mutex> empty_lock;
    for (auto& each : sessions) {
        std::unique_lock lock(each.busy, std::try_to_lock);
        if (!lock) {
            continue;
        }
        if (each.link && (distrusted || !each.link->usable())) {
            drop(each);
            lost = true;
        }
        if (!each.link && empty == nullptr) {
            empty = &each;
            empty_lock = std::move(lock);
        }
    }
    const bool probe = empty != nullptr && (lost || !gate.reachable());
    if (probe && gate.may_try(steady::now())) {
        if (const auto tried = connect(*empty); !tried) { // the next look tries again
            logger.debug("database.still_down", {{"reason", tried.error().detail}});
        }
    }
}

result<void> pool::state::run(detail::session& on, detail::run_mode mode, const body& work,
                              async::worker_pool::deadline until) {
    std::unique_lock lock(on.busy, std::try_to_lock);
    if (!lock && gate.failing()) { // the keeper has it, and waits for a server that says nothing
        return server_is_away();
    }
    if (!lock) {
        lock.lock();
    }
    bool reconnected = false;
    unsigned conflicts = 0;
    while (true) {
        if (auto ready = acquire(on); !ready) {
            return ready;
        }
        auto tried = detail::run_once(on, mode, work, settings.statement_timeout, until);
        if (!on.link) {
            drop(on);
            suspicious = true;
        }
        if (tried.retry == detail::retry::lost && !reconnected) {
            reconnected = true;
            continue;
        }
        if (tried.retry == detail::retry::conflict && ++conflicts <= conflict_retries &&
            steady::now() < until) {
            std::this_thread::sleep_for(conflict_wait.wait(conflicts));
            continue;
        }
        return tried.answer;
    }
}

result<void> pool::state::run_timed(std::size_t thread, const std::string& name,
                                    detail::run_mode mode, const body& work,
                                    async::worker_pool::deadline until) {
    const auto begun = steady::now();
    auto outcome = run(sessions[thread], mode, work, until);
    metrics.observe(name, std::chrono::duration<double>(steady::now() - begun).count(), outcome);
    return outcome;
}

pool::pool(pool_settings settings, metrics::registry& metrics, log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), metrics, std::move(logger))),
      workers_({.name = "db",
                .threads = state_->settings.connections,
                .queue_max = state_->settings.queue_max},
               metrics) {}

pool::~pool() {
    stop();
}

void pool::stop() {
    workers_.stop();
    state_->keeper.stop();
    for (auto& each : state_->sessions) {
        if (each.link) {
            state_->drop(each);
        }
    }
}

result<void> pool::run_transaction(std::size_t thread, const std::string& name, const body& work,
                                   async::worker_pool::deadline until) {
    return state_->run_timed(thread, name, detail::run_mode::transaction, work, until);
}

result<void> pool::run_statement(std::size_t thread, const std::string& name, const body& work,
                                 async::worker_pool::deadline until) {
    return state_->run_timed(thread, name, detail::run_mode::statement, work, until);
}

async::worker_pool::deadline pool::default_deadline() {
    return steady::now() + std::chrono::seconds(5);
}

bool pool::reachable() const {
    return state_->gate.reachable();
}

boost::asio::awaitable<result<void>> pool::check_connection_budget(std::size_t instances_max) {
    auto ask = [](transaction& tx) -> result<std::pair<std::int64_t, std::int64_t>> {
        const auto limits = tx.exec("select current_setting('max_connections')::int,"
                                    " current_setting('superuser_reserved_connections')::int");
        return std::pair{limits.front().integer(0), limits.front().integer(1)};
    };
    auto limits = co_await read("connection_budget", ask);
    if (!limits) {
        co_return fail(limits);
    }
    co_return check_budget({.service = state_->settings.application_name,
                            .pool = state_->settings.connections,
                            .instances_max = instances_max,
                            .server_max = static_cast<std::size_t>(limits->first),
                            .server_reserved = static_cast<std::size_t>(limits->second)});
}

} // namespace relais::pg
