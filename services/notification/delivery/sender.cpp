#include "notification/delivery/sender.hpp"

#include <algorithm>
#include <utility>

namespace asio = boost::asio;

namespace relais::notification {
namespace {

/// For rows of senders that died: nobody wakes us for them.
constexpr std::chrono::seconds looks_at_least_every{5};
constexpr std::chrono::seconds measures_at_most_every{1};
constexpr std::chrono::milliseconds outage_pause{250};
/// Another instance may hold the next row at this moment.
constexpr std::chrono::microseconds shortest_wait{10'000};

} // namespace

sender::sender(sender_settings settings, pg::pool& database, provider_channel& provider,
               const composer& compose, const clock& time, asio::io_context& loop,
               async::task_group& tasks, metrics::registry& metrics, log::logger logger)
    : settings_(std::move(settings)), database_(database), provider_(provider), composer_(compose),
      time_(time), tasks_(tasks), metrics_(metrics, settings_.channel, provider.name()),
      logger_(std::move(logger)), changed_(loop) {}

void sender::wake() {
    awake_ = true;
    changed_.notify_all();
}

asio::awaitable<void> sender::run() {
    while (true) {
        co_await work_off();
        co_await wait_for_work();
    }
}

/// Claims and starts until there is nothing due or no room.
asio::awaitable<void> sender::work_off() {
    while (true) {
        const auto room = gate_.allowed(time_.steady_now(), provider_.parallel_max());
        if (on_their_way_ >= room) {
            co_return;
        }
        awake_ = false;
        const bool trying = room == 1 && !gate_.is_open(time_.steady_now());
        const auto at_most = trying ? 1 : (room - on_their_way_) * provider_.batch_max();
        auto claimed = co_await claim(at_most);
        if (!claimed) {
            logger_.warn("delivery.claim_failed", {{"reason", claimed.error().slug}});
            co_await async::sleep_for(outage_pause);
            continue;
        }
        const bool more = claimed->size() == at_most;
        start(std::move(*claimed));
        if (!more && !awake_) {
            co_return;
        }
    }
}

void sender::show_gate() const {
    metrics_.channel(!gate_.is_open(time_.steady_now()), gate_.alert());
}

asio::awaitable<void> sender::wait_for_work() {
    co_await look_at_queue();
    if (awake_) {
        co_return;
    }
    const auto steady = time_.steady_now();
    std::chrono::steady_clock::duration longest = looks_at_least_every;
    if (queue_changed_) {
        longest = measures_at_most_every;
    }
    if (gate_.closed_until() > steady) {
        longest = std::min(longest, gate_.closed_until() - steady);
        co_await changed_.wait_for(longest);
        co_return;
    }
    const auto room = gate_.allowed(steady, provider_.parallel_max());
    if (on_their_way_ < room) {
        auto ask = [which = settings_.channel,
                    in_hand = in_hand_](pg::transaction& tx) -> result<std::optional<timestamp>> {
            return next_due(tx, which, in_hand);
        };
        const auto due = co_await database_.read("next_due", std::move(ask));
        if (due && *due) {
            const auto left = std::max(**due - time_.now(), shortest_wait);
            longest = std::min<std::chrono::steady_clock::duration>(longest, left);
        }
    }
    // What happened meanwhile is not remembered by the signal.
    if (!awake_) {
        co_await changed_.wait_for(longest);
    }
}

asio::awaitable<result<sender::rows>> sender::claim(std::size_t at_most) {
    auto take = [which = settings_.channel, at_most, now = time_.now(), lease = settings_.lease,
                 in_hand = in_hand_](pg::transaction& tx) -> result<rows> {
        return claim_due(tx, which, at_most, now, lease, in_hand);
    };
    auto claimed = co_await database_.read("claim_deliveries", std::move(take));
    co_return claimed;
}

asio::awaitable<void> sender::look_at_queue() {
    const auto since = time_.steady_now() - measured_at_;
    if (since < measures_at_most_every || (!queue_changed_ && since < looks_at_least_every)) {
        co_return;
    }
    measured_at_ = time_.steady_now();
    queue_changed_ = false;
    auto ask = [](pg::transaction& tx) -> result<std::vector<queue_size>> {
        return queue_sizes(tx);
    };
    const auto sizes = co_await database_.read("queue_sizes", std::move(ask));
    if (sizes) {
        metrics_.queue(*sizes);
    }
}

void sender::start(rows claimed) {
    queue_changed_ = queue_changed_ || !claimed.empty();
    rows batch;
    for (auto& row : claimed) {
        in_hand_.insert(row.id);
        if (row.ambiguous) {
            spawn("resolve", resolve(std::move(row)));
            continue;
        }
        batch.push_back(std::move(row));
        if (batch.size() == provider_.batch_max()) {
            spawn("send", send_batch(std::exchange(batch, {})));
        }
    }
    if (!batch.empty()) {
        spawn("send", send_batch(std::move(batch)));
    }
}

void sender::spawn(std::string name, asio::awaitable<void> task) {
    ++on_their_way_;
    tasks_.spawn(std::move(name), std::move(task));
}

} // namespace relais::notification
