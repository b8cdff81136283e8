#include "outbox/bulk_pacer.hpp"

#include "async/signal.hpp"
#include "clock/epoch_seconds.hpp"
#include "outbox/bulk_store.hpp"

#include <algorithm>

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Nothing was staged, or somebody else publishes.
constexpr auto idle_interval = 1s;
/// The relay lags, or another instance moves.
constexpr auto waiting_interval = 200ms;
/// How often the relay is asked whether a batch is published; it costs no query.
constexpr auto published_interval = 2ms;
/// Longer without an answer: the relay is waited for.
constexpr auto published_usual = 1s;
constexpr auto rest_max = 1s;
constexpr auto lag_interval = 1s;
/// Counting a million rows takes a third of a second of the database.
constexpr auto measure_interval = 30s;

} // namespace

struct bulk_pacer::impl {
    impl(pg::pool& of_service, const relay& beside, relay_options how, metrics::registry& registry,
         log::logger to)
        : database(of_service), publisher(beside), options(how), logger(std::move(to)),
          pacer_state(registry.gauge("outbox_bulk_pacer_state",
                                     "0 standby, 1 idle, 2 moving, 3 waiting for the relay")),
          staged_rows(registry.gauge("outbox_bulk_staged_rows",
                                     "Bulk events not yet in the outbox, counted up to a million")),
          oldest_staged(registry.gauge("outbox_bulk_oldest_staged_timestamp_seconds",
                                       "When the oldest of them was staged; 0: none")),
          moved_total(
              registry.counter("outbox_bulk_moved_total", "Bulk events moved into the outbox")) {}

    void show(state now);
    asio::awaitable<steady::duration> step();
    asio::awaitable<result<std::optional<moved_batch>>> move();
    asio::awaitable<steady::duration> let_through(moved_batch batch, steady::time_point begun);
    asio::awaitable<void> measure();

    pg::pool& database;
    const relay& publisher;
    relay_options options;
    log::logger logger;
    metrics::gauge pacer_state;
    metrics::gauge staged_rows;
    metrics::gauge oldest_staged;
    metrics::counter moved_total;
    state current = state::standby;
    steady::time_point lag_at{};     ///< when to look at the lag again
    steady::time_point measure_at{}; ///< when to count again
    bool lagging = false;
};

void bulk_pacer::impl::show(state now) {
    if (now == state::waiting && current != state::waiting) {
        logger.info("outbox.bulk_waits", {{"lag_max_ms", options.bulk_lag_max.count()}});
    }
    current = now;
    pacer_state.set(static_cast<double>(now));
}

/// One batch, if it is time for one. Returns how long to wait before the next step.
asio::awaitable<steady::duration> bulk_pacer::impl::step() {
    const auto relayed = publisher.current();
    if (relayed == relay::state::standby || relayed == relay::state::starting) {
        show(state::standby);
        staged_rows.set(0); // whoever publishes counts them
        oldest_staged.set(0);
        co_return waiting_interval;
    }
    if (steady::now() >= measure_at) {
        co_await measure();
    }
    if (relayed != relay::state::streaming) {
        show(state::waiting);
        co_return waiting_interval;
    }
    const auto begun = steady::now();
    const auto moved = co_await move();
    if (!moved) {
        co_return idle_interval; // the pool logs and counts failures
    }
    if (lagging) {
        show(state::waiting);
        co_return waiting_interval;
    }
    if (!*moved) {
        co_return waiting_interval;
    }
    if ((*moved)->count == 0) {
        show(state::idle);
        co_return idle_interval;
    }
    const auto rest = co_await let_through(**moved, begun);
    co_return rest;
}

asio::awaitable<result<std::optional<moved_batch>>> bulk_pacer::impl::move() {
    const auto look = steady::now() >= lag_at;
    if (look) {
        lag_at = steady::now() + lag_interval;
    }

    struct outcome {
        bool lags = false;
        std::optional<moved_batch> batch;
    };

    const auto work = [look, known = lagging, limit = options.bulk_lag_max,
                       count = options.bulk_batch](pg::transaction& tx) -> result<outcome> {
        outcome made;
        made.lags = look ? relay_lags(tx, limit) : known;
        if (!made.lags) {
            made.batch = move_bulk(tx, count);
        }
        return made;
    };
    const auto moved = co_await database.transact("outbox-bulk-move", work);
    if (!moved) {
        co_return fail(moved);
    }
    lagging = moved->lags;
    co_return moved->batch;
}

/// Until the relay has published the batch; then as long a rest as that took.
asio::awaitable<steady::duration> bulk_pacer::impl::let_through(moved_batch batch,
                                                                steady::time_point begun) {
    moved_total.increment(static_cast<double>(batch.count));
    show(state::moving);
    const auto look = [](pg::transaction& tx) -> result<lsn> {
        return flushed_position(tx);
    };
    const auto position = co_await database.read("outbox-bulk-position", look);
    if (!position) {
        co_return idle_interval;
    }
    while (!publisher.has_published({.xid = batch.xid, .position = *position})) {
        const auto relayed = publisher.current();
        if (relayed != relay::state::streaming && relayed != relay::state::waiting) {
            co_return waiting_interval; // another one takes over, or an event is refused
        }
        if (steady::now() - begun > published_usual) {
            show(state::waiting);
        }
        co_await async::sleep_for(published_interval);
    }
    co_return std::min<steady::duration>(steady::now() - begun, rest_max);
}

asio::awaitable<void> bulk_pacer::impl::measure() {
    measure_at = steady::now() + measure_interval;
    const auto count = [](pg::transaction& tx) -> result<staged> {
        return count_staged(tx);
    };
    const auto counted = co_await database.read("outbox-bulk-count", count);
    if (counted) {
        staged_rows.set(static_cast<double>(counted->count));
        oldest_staged.set(epoch_seconds(counted->oldest));
    }
}

bulk_pacer::bulk_pacer(pg::pool& database, const relay& publisher, relay_options options,
                       metrics::registry& metrics, log::logger logger)
    : impl_(std::make_unique<impl>(database, publisher, options, metrics, std::move(logger))) {}

bulk_pacer::~bulk_pacer() = default;

bulk_pacer::state bulk_pacer::current() const {
    return impl_->current;
}

asio::awaitable<void> bulk_pacer::run() {
    while (true) {
        const auto wait = co_await impl_->step();
        co_await async::sleep_for(wait);
    }
}

} // namespace relais::outbox
