#include "outbox/publisher.hpp"

#include "async/failpoint.hpp"
#include "clock/epoch_seconds.hpp"

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

/// Enough to keep the broker busy; more would only be sent again after a failure.
constexpr std::size_t messages_max = 10'000;
constexpr std::uint64_t careful_records = 1'000;
constexpr std::size_t bytes_max = std::size_t{32} * 1024 * 1024;

} // namespace

publisher::publisher(publisher_settings settings, const lease& right, asio::io_context& loop,
                     metrics::registry& registry, const relay_metrics& metrics, log::logger logger)
    : source_(std::move(settings.source)), ring_(settings.confirmed), changed_(loop), idle_(loop),
      right_(right), metrics_(metrics), logger_(std::move(logger)),
      careful_left_(settings.careful ? careful_records : 0),
      producer_(std::move(settings.producer), loop, registry, logger_) {}

void publisher::begin(lsn commit_lsn, timestamp committed_at) {
    commit_lsn_ = commit_lsn;
    committed_at_ = committed_at;
    index_ = 0;
    ring_.open(committed_at);
}

asio::awaitable<result<void>> publisher::publish(outgoing event) {
    auto& record = event.record;
    auto position = events::position_headers({source_, commit_lsn_, index_++});
    std::ranges::move(position, std::back_inserter(record.headers));
    auto& target = targets_.of(record.topic, record.key);
    // By the topics file, so that keys stay where they are even if somebody adds partitions.
    record.partition = target.partition;
    while (true) {
        if (failed_) {
            co_return std::unexpected(*failed_);
        }
        if (has_room(target) && right_.holds(std::chrono::steady_clock::now())) {
            auto queued = send(event, target);
            async::failpoint("relay.after_produce");
            if (queued || queued.error().slug != "producer-queue-full") {
                co_return queued;
            }
        }
        co_await changed_.wait_for(std::chrono::milliseconds(100));
    }
}

void publisher::skip() {
    ++index_;
    ++done_;
}

bool publisher::has_room(const targets::target& target) const {
    const auto most = careful() ? 1 : messages_max;
    return target.in_flight < events::in_flight_max && ring_.outstanding() < most &&
           bytes_in_flight_ < bytes_max;
}

result<void> publisher::send(const outgoing& event, targets::target& target) {
    const auto& value = event.record;
    // The ticket is drawn first, because the report may come at once.
    const sent_record sent{.ticket = ring_.sent(),
                           .size = value.key.size() + (value.value ? value.value->size() : 0),
                           .committed_at = committed_at_,
                           .target = &target,
                           .seq = event.seq};
    bytes_in_flight_ += sent.size;
    ++target.in_flight;
    auto report = [this, sent](const result<kafka::delivery>& outcome) {
        on_delivery(sent, outcome);
    };
    auto queued = producer_.send(value, report);
    if (queued) {
        return queued;
    }
    ring_.delivered(sent.ticket); // it never was on its way
    bytes_in_flight_ -= sent.size;
    --target.in_flight;
    if (queued.error().slug != "producer-queue-full") {
        note_failure(sent, queued.error());
    }
    return queued;
}

void publisher::on_delivery(const sent_record& sent, const result<kafka::delivery>& outcome) {
    async::failpoint("relay.before_delivery");
    bytes_in_flight_ -= sent.size;
    --sent.target->in_flight;
    if (outcome) {
        const auto now = system_clock().now();
        ring_.delivered(sent.ticket);
        ring_.advance();
        ++done_;
        careful_left_ -= careful() ? 1 : 0;
        metrics_.published.increment();
        metrics_.last_success.set(epoch_seconds(now));
        metrics_.commit_to_delivery.observe(
            std::max(0.0, std::chrono::duration<double>(now - sent.committed_at).count()));
    } else {
        note_failure(sent, outcome.error()); // its ticket stays out: nothing behind it is confirmed
    }
    async::failpoint("relay.after_delivery");
    changed_.notify_all();
    if (ring_.outstanding() == 0 || failed_) {
        idle_.notify_all();
    }
}

void publisher::note_failure(const sent_record& sent, const error& why) {
    if (!refused_ && refused_for_good(why)) {
        refused_ = refusal_of_event{.seq = sent.seq, .topic = sent.target->topic, .reason = why};
    }
    if (!failed_) {
        failed_ = why;
        logger_.error("outbox.delivery_failed",
                      {{"error", why.slug}, {"detail", why.detail}, {"seq", sent.seq}});
    }
}

void publisher::commit(lsn end) {
    ring_.close(end);
    if (ring_.advance()) {
        changed_.notify_all();
    }
}

void publisher::mark(lsn position) {
    ring_.mark(position);
    if (ring_.advance()) {
        changed_.notify_all();
    }
}

asio::awaitable<void> publisher::rest(std::chrono::steady_clock::time_point until) {
    while (ring_.outstanding() > 0 && !failed_) {
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration(0)) {
            co_return;
        }
        co_await idle_.wait_for(left);
    }
}

asio::awaitable<void> publisher::pause(std::chrono::steady_clock::time_point until) {
    while (!failed_) {
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration(0)) {
            co_return;
        }
        co_await idle_.wait_for(left);
    }
}

asio::awaitable<result<void>> publisher::settle() {
    while (!failed_ && ring_.outstanding() > 0) {
        co_await changed_.wait();
    }
    if (failed_) {
        co_return std::unexpected(*failed_);
    }
    co_return result<void>();
}

} // namespace relais::outbox
