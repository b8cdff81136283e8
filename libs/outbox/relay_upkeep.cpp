// Ticker and housekeeper of a relay session.
#include "async/failpoint.hpp"
#include "async/signal.hpp"
#include "outbox/relay_session.hpp"

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds status_interval{100};
constexpr std::chrono::seconds idle_interval{1};
/// After so much silence the server is asked for a sign of life; after more the session ends.
constexpr std::chrono::seconds silence_ask{10};
constexpr std::chrono::seconds silence_end{30};
/// Older than this in flight: the broker does not answer.
constexpr std::chrono::seconds stalled_after{5};
constexpr std::int64_t heartbeat_lag_bytes = std::int64_t{16} * 1024 * 1024;
constexpr int measure_rounds = 5;
constexpr int maintenance_rounds = 600;

} // namespace

asio::awaitable<result<void>> relay_session::tick() {
    while (true) {
        if (publisher_->confirmed() == status_sent_) {
            co_await publisher_->changed().wait_for(idle_interval);
        }
        const auto silence = reading_ ? steady::now() - heard_ : steady::duration(0);
        if (silence > silence_end) {
            co_return fail(error_kind::unavailable, "database-down", "the stream fell silent");
        }
        auto told = send_status(silence > silence_ask);
        if (!told) {
            co_return told;
        }
        if (publisher_->failed()) {
            co_return std::unexpected(*publisher_->failed());
        }
        show_lag();
        co_await async::sleep_for(status_interval);
    }
}

result<void> relay_session::send_status(bool ask_reply) {
    async::failpoint("relay.before_confirm");
    if (!stream_) {
        status_sent_ = publisher_->confirmed();
        return {};
    }
    const auto confirmed = publisher_->confirmed();
    const auto sent =
        stream_->send_message(encode_status(confirmed, system_clock().now(), ask_reply));
    if (!sent) {
        return std::unexpected(sent.error().as_error());
    }
    status_sent_ = confirmed;
    return {};
}

void relay_session::show_lag() {
    const auto oldest = publisher_->oldest();
    const bool stalled = oldest && system_clock().now() - *oldest > stalled_after;
    if (!stalled) {
        unpublished_ = 0;
    }
    with_.metrics.show_unsent(std::max(publisher_->outstanding(), unpublished_), oldest);
    if (streaming_) {
        with_.show(stalled ? relay::state::waiting : relay::state::streaming);
    }
}

asio::awaitable<result<void>> relay_session::keep_house() {
    for (int round = 1;; ++round) {
        co_await async::sleep_for(std::chrono::seconds(1));
        auto renewed = co_await renew_lease();
        if (!renewed) {
            co_return renewed;
        }
        if (!streaming_) {
            continue; // a repair: nothing to note down before its end
        }
        auto done = polls() ? co_await save_polled() : co_await save_progress();
        if (done && with_.memory.blocked) {
            done = co_await look_whether_blocked();
        }
        if (done && round % measure_rounds == 0) {
            done = co_await measure();
        }
        if (!done) {
            co_return std::unexpected(done.error().as_error());
        }
        if (round % maintenance_rounds == 0) {
            const auto maintained = co_await maintain_partitions(*sql_);
            if (!maintained) { // a lock was not to be had: next time
                with_.logger.warn("outbox.maintenance_failed",
                                  {{"reason", maintained.error().message}});
            }
        }
    }
}

asio::awaitable<result<void>> relay_session::renew_lease() {
    const auto asked_at = steady::now();
    const auto now = co_await read_progress(*sql_);
    if (!now) {
        co_return std::unexpected(now.error().as_error());
    }
    if (now->epoch != progress_.epoch) {
        co_return fail(error_kind::conflict, "outbox-epoch-over",
                       "another instance began a new one");
    }
    lease_.renew(asked_at);
    co_return result<void>();
}

/// Takes a moment when something was delivered since the last one, and saves it once everything up
/// to it is confirmed.
asio::awaitable<link_result<void>> relay_session::save_progress() {
    if (moment_ && publisher_->confirmed() >= moment_->position) {
        auto saved = co_await save_published(*sql_, progress_.epoch, moment_->snapshot);
        moment_.reset();
        if (!saved) {
            co_return saved;
        }
    }
    if (!moment_ && publisher_->done() != moments_done_) {
        moments_done_ = publisher_->done();
        auto taken = co_await take_moment(*sql_);
        if (!taken) {
            co_return std::unexpected(taken.error());
        }
        moment_ = std::move(*taken);
    }
    co_return link_result<void>();
}

asio::awaitable<link_result<void>> relay_session::measure() {
    link_result<slot_state> slot; // there is none when polling
    if (!polls()) {
        slot = co_await look_at_slot(*sql_, slot_name(progress_));
        if (!slot) {
            co_return std::unexpected(slot.error());
        }
        with_.metrics.slot_lag_bytes.set(static_cast<double>(slot->lag_bytes));
    }
    if (publisher_->outstanding() > 0 && (polls() || slot->lag_bytes > 0)) {
        const auto counted = co_await count_unpublished(*sql_);
        if (!counted) {
            co_return std::unexpected(counted.error());
        }
        unpublished_ = *counted;
    }
    if (slot->lag_bytes > heartbeat_lag_bytes && publisher_->outstanding() == 0) {
        auto beaten = co_await heartbeat(*sql_);
        co_return beaten;
    }
    co_return link_result<void>();
}

} // namespace relais::outbox
