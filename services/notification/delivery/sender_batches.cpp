#include "ids/random.hpp"
#include "notification/delivery/sender.hpp"
#include "notification/store/contacts.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr std::chrono::milliseconds outage_pause{250};

std::uint64_t random_bits() {
    std::array<std::uint8_t, 8> bytes{};
    unique_bytes(bytes);
    std::uint64_t out = 0;
    for (const auto byte : bytes) {
        out = out << 8U | byte;
    }
    return out;
}

} // namespace

/// Makes room for the next when a task ends, however it ends.
struct sender::arrival {
    explicit arrival(sender& whose) : owner(whose) {}

    void brings(const claimed_delivery& row) {
        ids.push_back(row.id);
    }

    ~arrival() {
        --owner.on_their_way_;
        for (const auto& each : ids) {
            owner.in_hand_.erase(each);
        }
        owner.queue_changed_ = true;
        owner.wake();
    }

    arrival(const arrival&) = delete;
    arrival& operator=(const arrival&) = delete;

    sender& owner;
    std::vector<delivery_id> ids;
};

asio::awaitable<void> sender::send_batch(rows batch) {
    // A call that has begun is finished and recorded, also when the service stops meanwhile.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    arrival at_the_end(*this);
    std::vector<change> changes;
    std::vector<outgoing> messages;
    rows sent;
    for (auto& row : batch) {
        at_the_end.brings(row);
        auto made = composer_.compose(row, time_.now());
        if (made) {
            if (row.history.attempts <= 1 && row.history.deferrals == 0) {
                budget_.earn(time_.steady_now());
            }
            messages.push_back(std::move(*made));
            sent.push_back(std::move(row));
            continue;
        }
        changes.push_back(from_not_composed(row, made.error()));
    }
    if (!messages.empty()) {
        const auto outcomes = co_await provider_.send(std::move(messages));
        for (std::size_t i = 0; i < sent.size(); ++i) {
            changes.push_back(from_outcome(sent[i], outcomes.at(i)));
        }
    }
    co_await record_all(std::move(changes));
}

asio::awaitable<void> sender::resolve(claimed_delivery row) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    arrival at_the_end(*this);
    at_the_end.brings(row);
    const auto how = provider_.how_to_resolve();
    look_up_outcome found;
    if (how == ambiguity::look_up) {
        const auto where = trace::context::parse(row.traceparent).value_or(trace::context::start());
        found = co_await provider_.look_up(row.id, where);
        if (found.what != look_up_outcome::finding::unknown) {
            gate_.succeed();
        }
    }
    const bool expired = row.not_after <= time_.now();
    auto given = after_look_up(settings_.policy, how, found, row.history, expired, random_bits());
    auto made = from_verdict(row, std::move(given));
    made.what.provider_message_id = found.provider_message_id;
    std::vector<change> changes;
    changes.push_back(std::move(made));
    co_await record_all(std::move(changes));
}

sender::change sender::from_verdict(const claimed_delivery& row, verdict given) {
    change out{row, {}, {}};
    out.what.state = given.state;
    out.what.history = given.history;
    out.what.reason = std::move(given.reason);
    if (given.state == delivery_state::accepted) {
        out.what.provider = provider_.name();
        out.what.template_version = composer_.template_version();
        logger_for(row).info("delivery.accepted", {{"delivery_id", row.id.text()},
                                                   {"kind", row.template_name},
                                                   {"provider", provider_.name()}});
        if (row.kind != nullptr) {
            metrics_.accepted_after(*row.kind, time_.now() - row.caused_at);
        }
    } else if (!is_settled(given.state)) {
        // What is only put off waits for the channel as a whole; a look-up sends nothing.
        const bool again = given.state == delivery_state::pending &&
                           given.history.deferrals == row.history.deferrals;
        const auto later = again ? pay_for_retry() : std::chrono::milliseconds(0);
        // Longer waits that a provider asks for are the closed channel's.
        out.what.due_at = time_.now() + std::min<std::chrono::milliseconds>(given.wait + later,
                                                                            believed_wait / 2);
    }
    if (given.pause_channel.count() > 0) {
        gate_.close(time_.steady_now() + given.pause_channel, given.alert);
        show_gate();
    }
    if (given.state == delivery_state::pending) {
        metrics_.count(given.history.resends > row.history.resends ? "resent" : "retried");
    } else {
        metrics_.count(to_string(given.state));
    }
    return out;
}

std::chrono::milliseconds sender::pay_for_retry() {
    const auto later = budget_.spend(time_.steady_now());
    metrics_.retries_left(budget_.left());
    return later;
}

sender::change sender::from_not_composed(const claimed_delivery& row, const not_composed& why) {
    const log::fields about{
        {"delivery_id", row.id.text()}, {"kind", row.template_name}, {"reason", why.reason}};
    if (why.state == delivery_state::skipped) {
        logger_for(row).info("delivery.skipped", about);
    } else {
        logger_for(row).error("delivery.not_composed", about);
    }
    verdict given;
    given.state = why.state;
    given.reason = why.reason;
    given.history = row.history;
    return from_verdict(row, std::move(given));
}

sender::change sender::from_outcome(const claimed_delivery& row, const send_outcome& outcome) {
    const bool provider_answered = outcome.result != send_result::throttled &&
                                   outcome.result != send_result::not_sent &&
                                   outcome.result != send_result::channel_refused;
    if (provider_answered) {
        gate_.succeed();
        show_gate();
    }
    auto given = after_send(settings_.policy, provider_.how_to_resolve(), outcome, row.history,
                            random_bits());
    if (given.state != delivery_state::accepted) {
        logger_for(row).warn("delivery.not_accepted", {{"delivery_id", row.id.text()},
                                                       {"kind", row.template_name},
                                                       {"provider", provider_.name()},
                                                       {"result", to_string(outcome.result)},
                                                       {"reason", outcome.reason},
                                                       {"next", to_string(given.state)}});
    }
    auto out = from_verdict(row, std::move(given));
    out.what.provider_message_id = outcome.provider_message_id;
    out.dead_subscriptions = outcome.dead_subscriptions;
    return out;
}

log::logger sender::logger_for(const claimed_delivery& row) const {
    const auto where = trace::context::parse(row.traceparent);
    return where ? logger_.with(*where) : logger_;
}

/// One transaction for the batch. While the database is away it is tried again: what a provider
/// answered must not be lost, or the mail would have to be looked up.
asio::awaitable<void> sender::record_all(std::vector<change> changes) {
    const auto give_up = time_.steady_now() + settings_.lease;
    while (true) {
        auto write = [&changes, service = settings_.service,
                      now = time_.now()](pg::transaction& tx) -> result<void> {
            for (const auto& one : changes) {
                record(tx, one.row, one.what, service, now);
                if (!one.dead_subscriptions.empty()) {
                    mark_devices_dead(tx, one.dead_subscriptions, now);
                }
            }
            return {};
        };
        const auto written = co_await database_.transact("record_deliveries", std::move(write));
        if (written) {
            co_return;
        }
        logger_.warn("delivery.record_failed", {{"reason", written.error().slug}});
        if (time_.steady_now() > give_up) {
            co_return; // the claims end, and the calls are ambiguous from then on
        }
        co_await async::sleep_for(outage_pause);
    }
}

} // namespace relais::notification
