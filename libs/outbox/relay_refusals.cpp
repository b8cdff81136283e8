// What a relay session does about events that Kafka refuses for good, and about wrong topics.
#include "async/signal.hpp"
#include "outbox/relay_session.hpp"
#include "outbox/topic_check.hpp"

namespace asio = boost::asio;

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds check_interval{1};

} // namespace

asio::awaitable<link_result<void>> relay_session::learn_refusals() {
    auto known = co_await read_refusals(*sql_);
    if (!known) {
        co_return std::unexpected(known.error());
    }
    diverted_ = std::move(known->diverted);
    with_.memory.blocked = std::move(known->blocked);
    // After a restart nothing behind the blocked event is sent again with each try.
    with_.memory.careful = with_.memory.careful || with_.memory.blocked.has_value();
    co_return link_result<void>();
}

asio::awaitable<result<void>> relay_session::send(outgoing event) {
    if (diverted_.contains(event.seq)) {
        publisher_->skip();
        co_return result<void>();
    }
    if (with_.memory.missing_topics.contains(event.record.topic)) {
        const auto settled = co_await publisher_->settle(); // what is before it was not refused
        if (!settled) {
            co_return settled;
        }
        const auto left = co_await leave_behind(
            {.seq = event.seq,
             .topic = event.record.topic,
             .reason = {error_kind::unavailable, "kafka-unknown-topic",
                        "the broker does not have the topic", "", std::nullopt}});
        if (!left) {
            co_return std::unexpected(left.error().as_error());
        }
        publisher_->skip();
        co_return result<void>();
    }
    auto sent = co_await publisher_->publish(std::move(event));
    co_return sent;
}

/// After the session's tasks have ended. A batch that was refused says nothing about its records,
/// so the next session sends them one by one.
asio::awaitable<link_result<void>> relay_session::settle_refusal() {
    const auto refused = publisher_->refused();
    if (!refused) {
        with_.memory.careful = with_.memory.careful && publisher_->careful();
        co_return link_result<void>();
    }
    with_.memory.careful = true;
    const bool topic_missing = refused->reason.slug == "kafka-unknown-topic";
    if (!publisher_->careful() && !topic_missing) {
        co_return link_result<void>();
    }
    // Ours may have been cut off in the middle of a query when the tasks ended.
    auto fresh = co_await server_link::open(with_.loop, sql_keywords(), std::chrono::seconds(3));
    if (!fresh) {
        co_return std::unexpected(fresh.error());
    }
    sql_ = std::move(*fresh);
    const bool diverts = with_.settings.options.refused == refused_policy::divert &&
                         may_be_diverted(refused->reason);
    if (!diverts) {
        auto written = co_await write_down(*refused);
        co_return written;
    }
    if (topic_missing) {
        with_.memory.missing_topics.insert(refused->topic);
    }
    auto left = co_await leave_behind(*refused);
    co_return left;
}

asio::awaitable<link_result<void>> relay_session::write_down(refusal_of_event what) {
    auto saved = co_await save_blocked(*sql_, what);
    if (saved) {
        with_.logger.error("outbox.blocked", {{"seq", what.seq},
                                              {"topic", what.topic},
                                              {"error", what.reason.slug},
                                              {"detail", what.reason.detail}});
        with_.memory.blocked = std::move(what);
    }
    co_return saved;
}

asio::awaitable<link_result<void>> relay_session::leave_behind(refusal_of_event what) {
    auto left = co_await divert(*sql_, what);
    if (left) {
        diverted_.insert(what.seq);
        with_.metrics.refused.increment();
        with_.memory.blocked.reset();
        with_.logger.error("outbox.refused", {{"seq", what.seq},
                                              {"topic", what.topic},
                                              {"error", what.reason.slug},
                                              {"detail", what.reason.detail}});
    }
    co_return left;
}

asio::awaitable<link_result<void>> relay_session::look_whether_blocked() {
    const auto cleared = co_await clear_passed(*sql_);
    if (!cleared) {
        co_return std::unexpected(cleared.error());
    }
    if (*cleared) {
        with_.memory.blocked.reset();
        with_.logger.info("outbox.goes_on", {});
    }
    co_return link_result<void>();
}

/// Fails only when a topic is wrong: a broker that is away must not keep the log from being read.
asio::awaitable<result<void>> relay_session::check_topics() {
    if (with_.memory.partitions_checked) {
        co_return result<void>();
    }
    const auto right = co_await check_partitions(with_.settings.producer, with_.registry);
    with_.memory.partitions_checked = right.has_value();
    if (!right && right.error().slug == "partition-count") {
        const auto written = co_await write_down({.reason = right.error()});
        co_return written ? right : std::unexpected(written.error().as_error());
    }
    if (right && with_.memory.blocked && with_.memory.blocked->reason.slug == "partition-count") {
        const auto cleared = co_await clear_blocked(*sql_);
        if (!cleared) {
            co_return std::unexpected(cleared.error().as_error());
        }
        with_.memory.blocked.reset();
    }
    co_return result<void>();
}

asio::awaitable<result<void>> relay_session::keep_checking() {
    while (true) {
        co_await async::sleep_for(check_interval);
        auto right = co_await check_topics();
        if (!right) {
            co_return right;
        }
        if (!with_.memory.missing_topics.empty()) {
            co_await find_made_topics();
        }
    }
}

/// Topics that were missing and are there now get their events again.
asio::awaitable<void> relay_session::find_made_topics() {
    const auto missing =
        co_await missing_of(with_.settings.producer, with_.registry, with_.memory.missing_topics);
    if (missing) {
        with_.memory.missing_topics = *missing;
    }
}

} // namespace relais::outbox
