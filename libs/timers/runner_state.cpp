#include "timers/runner_state.hpp"

#include "ids/random.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace asio = boost::asio;

namespace relais::timers::detail {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::microseconds longest_sleep{std::chrono::seconds(1)};
/// Another instance may hold the next timer at the moment.
constexpr std::chrono::microseconds shortest_sleep{std::chrono::milliseconds(10)};
constexpr std::chrono::milliseconds outage_pause{500};
constexpr std::size_t read_ahead_max = 16;
/// A third of what a claim lasts: what did not begin by then is given back.
constexpr std::chrono::seconds claim_believed{5};
constexpr std::chrono::seconds clock_look_every{60};

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&bits), sizeof bits});
    return bits;
}

auto urgency(const queued_timer& each) {
    return std::tie(each.claimed.what.priority, each.claimed.what.due_at);
}

} // namespace

runner_state::runner_state(surroundings given, runner_settings settings)
    : in(std::move(given)), concurrency_(std::max<std::size_t>(settings.concurrency, 1)),
      kind_limit_(std::max<std::size_t>(concurrency_ - 1, 1)),
      lateness_(in.metrics.histogram("timer_lateness_seconds", "From due to fired",
                                     metrics::delivery_seconds())),
      overdue_(in.metrics.gauge("timers_overdue_seconds",
                                "For how long the longest due timer has been due")),
      wake_(in.loop), firings_(in.loop, [logger = in.logger](const auto& name, const auto& what) {
          logger.error("timers.task_failed", {{"task", name}, {"what", what}});
      }) {}

void runner_state::add(std::string kind, handler fire, policy failures) {
    auto& registry = in.metrics;
    const metrics::labels labels{{"kind", kind}};
    const auto given_up = [&](const char* reason) {
        return registry.counter("timers_given_up_total", "Timers that will not be tried again",
                                {{"kind", kind}, {"reason", reason}});
    };
    const auto added = kinds_.emplace(
        kind,
        kind_state{
            .fire = std::move(fire),
            .failures = failures,
            .fired = registry.counter("timers_fired_total", "Timers that took effect", labels),
            .failed = registry.counter("timers_failed_total", "Attempts that failed", labels),
            .skipped = registry.counter("timers_skipped_total",
                                        "Missed due times of cron timers, not caught up", labels),
            .given_up = given_up("failed"),
            .expired = given_up("expired"),
            .crashed = given_up("crashed"),
        });
    if (!added.second) {
        throw std::logic_error("two handlers for timers of kind " + kind);
    }
}

void runner_state::wake_up() {
    woken_ = true;
    wake_.notify_all();
}

asio::awaitable<void> runner_state::feed() {
    while (true) {
        start_queued();
        woken_ = false;
        const auto wanted = room();
        std::optional<timestamp> next;
        bool any = false;
        if (!wanted.empty()) {
            auto found = co_await claim_due(wanted);
            if (!found) {
                co_await async::sleep_for(outage_pause);
                continue;
            }
            any = !found->claimed.empty();
            next = found->next;
            const auto overdue = found->most_overdue.value_or(in.time.now());
            overdue_.set(std::chrono::duration<double>(in.time.now() - overdue).count());
            enqueue(std::move(found->claimed));
        }
        if (!any && !woken_) {
            const auto until_next = next ? *next - in.time.now() : longest_sleep;
            co_await wake_.wait_for(std::clamp(until_next, shortest_sleep, longest_sleep));
        }
    }
}

asio::awaitable<void> runner_state::finish() {
    co_await firings_.join();
    std::vector<claimed_timer> rest;
    rest.reserve(queue_.size());
    for (auto& each : queue_) {
        rest.push_back(std::move(each.claimed));
    }
    queue_.clear();
    co_await hand_back(std::move(rest));
}

/// How many of each kind may be claimed; kinds without room are left out.
std::map<std::string, std::size_t> runner_state::room() const {
    std::map<std::string, std::size_t> wanted;
    for (const auto& [kind, state] : kinds_) {
        if (state.queued < kind_limit_) {
            wanted[kind] = std::max(state.read_ahead, kind_limit_ - state.queued);
        }
    }
    return wanted;
}

/// Whether waits must be looked at because the clock may have been set back.
bool runner_state::notice_clock(timestamp now) {
    const bool went_back = now < last_now_ && last_now_ != timestamp::max();
    last_now_ = now;
    if (!went_back && steady::now() < next_clock_look_) {
        return false;
    }
    next_clock_look_ = steady::now() + clock_look_every;
    return true;
}

asio::awaitable<result<runner_state::look>>
runner_state::claim_due(std::map<std::string, std::size_t> wanted) {
    const auto now = in.time.now();
    auto work = [wanted = std::move(wanted), now,
                 clock_set = notice_clock(now)](pg::transaction& tx) -> result<look> {
        if (clock_set) {
            shorten_waits(tx, now);
        }
        std::vector<std::string> kinds;
        for (const auto& [kind, most] : wanted) {
            kinds.push_back(kind);
        }
        look found;
        auto left = wanted;
        for (const auto& each : find_lanes(tx, kinds)) {
            if (each.next > now) {
                found.next = std::min(each.next, found.next.value_or(each.next));
                continue;
            }
            found.most_overdue = std::min(each.next, found.most_overdue.value_or(each.next));
            auto& most = left[each.kind];
            for (auto& one : most > 0 ? claim(tx, each, most, now) : std::vector<claimed_timer>()) {
                --most;
                found.claimed.push_back(std::move(one));
            }
        }
        if (found.most_overdue && found.claimed.empty()) {
            found.next = now; // held by another instance
        }
        return found;
    };
    auto found = co_await in.database.transact("timers_claim", std::move(work));
    co_return found;
}

void runner_state::enqueue(std::vector<claimed_timer> claimed) {
    const auto now = steady::now();
    for (auto& each : claimed) {
        auto& of_kind = kinds_.at(each.what.kind);
        ++of_kind.queued;
        of_kind.read_ahead = std::min(of_kind.read_ahead * 2, read_ahead_max);
        queue_.push_back({std::move(each), now});
    }
    std::ranges::sort(queue_, {}, urgency);
}

void runner_state::start_queued() {
    if (auto stale = remove_stale(); !stale.empty()) {
        firings_.spawn("give-back", hand_back(std::move(stale)));
    }
    for (auto each = queue_.begin(); each != queue_.end() && in_flight_ < concurrency_;) {
        auto& of_kind = kinds_.at(each->claimed.what.kind);
        if (of_kind.in_flight >= kind_limit_) {
            ++each;
            continue;
        }
        ++in_flight_;
        ++of_kind.in_flight;
        --of_kind.queued;
        firings_.spawn("fire", run_one(std::move(each->claimed)));
        each = queue_.erase(each);
    }
}

/// Those that waited so long for their turn that the claim may run out while they run.
std::vector<claimed_timer> runner_state::remove_stale() {
    std::vector<claimed_timer> stale;
    const auto oldest = steady::now() - claim_believed;
    for (auto each = queue_.begin(); each != queue_.end();) {
        if (each->since >= oldest) {
            ++each;
            continue;
        }
        auto& of_kind = kinds_.at(each->claimed.what.kind);
        --of_kind.queued;
        of_kind.read_ahead = 1;
        stale.push_back(std::move(each->claimed));
        each = queue_.erase(each);
    }
    return stale;
}

asio::awaitable<void> runner_state::hand_back(std::vector<claimed_timer> claimed) {
    if (claimed.empty()) {
        co_return;
    }
    auto work = [&claimed](pg::transaction& tx) -> result<void> {
        give_back(tx, claimed);
        return {};
    };
    // When this fails, the claims run out by themselves.
    const auto done = co_await in.database.transact("timers_give_back", std::move(work));
    static_cast<void>(done);
}

asio::awaitable<void> runner_state::run_one(claimed_timer next) {
    const auto kind = next.what.kind;
    co_await attempt(std::move(next));
    --in_flight_;
    --kinds_.at(kind).in_flight;
    wake_up();
}

/// One transaction: the timer goes, and what it does happens.
asio::awaitable<void> runner_state::attempt(claimed_timer next) {
    auto& of_kind = kinds_.at(next.what.kind);
    const auto now = in.time.now();
    auto work = [&](pg::transaction& tx) -> result<fired> {
        return fire(tx, next, of_kind.fire, of_kind.failures, now);
    };
    const auto done = co_await in.database.transact("timers_fire", std::move(work));
    if (done) {
        count(of_kind, next, *done, now);
    } else {
        co_await failed(std::move(next), done.error());
    }
}

void runner_state::count(kind_state& of_kind, const claimed_timer& what, fired outcome,
                         timestamp now) {
    switch (outcome) {
    case fired::yes:
        of_kind.fired.increment();
        lateness_.observe(std::chrono::duration<double>(now - what.what.due_at).count());
        break;
    case fired::skipped:
        of_kind.skipped.increment();
        break;
    case fired::expired:
    case fired::crashed:
        (outcome == fired::expired ? of_kind.expired : of_kind.crashed).increment();
        in.logger.warn("timer.given_up",
                       {{"timer_id", what.what.id},
                        {"kind", what.what.kind},
                        {"reason", outcome == fired::expired ? "expired" : "crashed"}});
        break;
    case fired::gone:
    case fired::early:
        break;
    }
}

asio::awaitable<void> runner_state::failed(claimed_timer next, error why) {
    auto& of_kind = kinds_.at(next.what.kind);
    const auto now = in.time.now();
    auto work = [&, random = random_bits()](pg::transaction& tx) -> result<bool> {
        return settle(tx, next, of_kind.failures, why, now, random);
    };
    // When this fails too, the claim runs out by itself.
    const auto given_up = co_await in.database.transact("timers_put_back", std::move(work));
    of_kind.failed.increment();
    if (given_up.value_or(false)) {
        of_kind.given_up.increment();
    }
    in.logger.warn("timer.failed", {{"timer_id", next.what.id},
                                    {"kind", next.what.kind},
                                    {"attempt", next.attempt},
                                    {"error", why.slug},
                                    {"detail", why.detail},
                                    {"given_up", given_up.value_or(false)}});
}

} // namespace relais::timers::detail
