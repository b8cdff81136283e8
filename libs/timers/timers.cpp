#include "timers/timers.hpp"

#include "async/signal.hpp"
#include "ids/random.hpp"
#include "timers/retry.hpp"
#include "timers/store.hpp"

#include <stdexcept>

namespace asio = boost::asio;

namespace relais::timers {
namespace {

constexpr std::chrono::microseconds longest_sleep{std::chrono::seconds(1)};
/// Another instance may hold the next timer at the moment.
constexpr std::chrono::microseconds shortest_sleep{std::chrono::milliseconds(10)};
constexpr std::chrono::milliseconds outage_pause{500};

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&bits), sizeof bits});
    return bits;
}

} // namespace

struct runner::impl {
    struct registered {
        handler fire;
        metrics::counter fired;
        metrics::counter failed;
        metrics::counter given_up;
    };

    pg::pool& database;
    const clock& time;
    metrics::registry& registry;
    log::logger logger;
    metrics::histogram lateness;
    std::map<std::string, registered> handlers;
    std::vector<std::string> kinds;

    asio::awaitable<result<look>> claim_due();
    asio::awaitable<void> fire(claimed_timer next);
    asio::awaitable<void> failed(claimed_timer next, error why);
};

asio::awaitable<result<look>> runner::impl::claim_due() {
    auto work = [this, now = time.now()](pg::transaction& tx) -> result<look> {
        return claim(tx, kinds, now);
    };
    auto found = co_await database.transact("timers_claim", work);
    co_return found;
}

/// One transaction: the timer goes, and what it does happens.
asio::awaitable<void> runner::impl::fire(claimed_timer next) {
    const auto& of_kind = handlers.at(next.what.kind);
    const auto now = time.now();
    auto work = [&](pg::transaction& tx) -> result<bool> {
        if (!take(tx, next)) {
            return false;
        }
        // After take(), so that a handler may set the same timer anew.
        const auto done = of_kind.fire(tx, next.what, now);
        if (!done) {
            return fail(done);
        }
        return true;
    };
    const auto done = co_await database.transact("timers_fire", work);
    if (!done) {
        co_await failed(next, done.error());
    } else if (*done) {
        of_kind.fired.increment();
        lateness.observe(std::chrono::duration<double>(now - next.what.due_at).count());
    }
}

asio::awaitable<void> runner::impl::failed(claimed_timer next, error why) {
    const auto& of_kind = handlers.at(next.what.kind);
    const auto now = time.now();
    const auto wait = wait_after(next.attempt, why.kind, random_bits());
    logger.warn("timer.failed", {{"timer_id", next.what.id},
                                 {"kind", next.what.kind},
                                 {"attempt", next.attempt},
                                 {"error", why.slug},
                                 {"detail", why.detail},
                                 {"given_up", !wait}});
    of_kind.failed.increment();
    if (!wait) {
        of_kind.given_up.increment();
    }
    auto work = [&](pg::transaction& tx) -> result<void> {
        put_back(tx, next, wait ? std::optional(now + *wait) : std::nullopt, now, why);
        return {};
    };
    // When this fails too, the claim runs out by itself.
    const auto kept = co_await database.transact("timers_put_back", work);
    static_cast<void>(kept);
}

runner::runner(pg::pool& database, const clock& time, asio::io_context& /*loop*/,
               metrics::registry& metrics, log::logger logger)
    : impl_(std::make_unique<impl>(impl{
          .database = database,
          .time = time,
          .registry = metrics,
          .logger = std::move(logger),
          .lateness = metrics.histogram("timer_lateness_seconds", "From due to fired",
                                        metrics::delivery_seconds()),
      })) {}

runner::~runner() = default;

void runner::on(std::string kind, handler fire) {
    const metrics::labels labels{{"kind", kind}};
    auto& registry = impl_->registry;
    const auto added = impl_->handlers.emplace(
        kind,
        impl::registered{
            .fire = std::move(fire),
            .fired = registry.counter("timers_fired_total", "Timers that took effect", labels),
            .failed = registry.counter("timers_failed_total", "Attempts that failed", labels),
            .given_up = registry.counter("timers_given_up_total",
                                         "Timers that will not be tried again", labels),
        });
    if (!added.second) {
        throw std::logic_error("two handlers for timers of kind " + kind);
    }
    impl_->kinds.push_back(std::move(kind));
}

asio::awaitable<void> runner::run() {
    while (true) {
        auto found = co_await impl_->claim_due();
        if (!found) {
            co_await async::sleep_for(outage_pause);
            continue;
        }
        for (auto& next : found->claimed) {
            co_await impl_->fire(std::move(next));
        }
        if (found->claimed.empty()) {
            const auto until_next = found->next ? *found->next - impl_->time.now() : longest_sleep;
            co_await async::sleep_for(std::clamp(until_next, shortest_sleep, longest_sleep));
        }
    }
}

} // namespace relais::timers
