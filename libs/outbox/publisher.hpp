#pragma once

#include "async/signal.hpp"
#include "events/event.hpp"
#include "events/in_flight.hpp"
#include "kafka/producer.hpp"
#include "outbox/confirmation_ring.hpp"
#include "outbox/lease.hpp"
#include "outbox/outgoing.hpp"
#include "outbox/refusal.hpp"
#include "outbox/relay_metrics.hpp"
#include "outbox/targets.hpp"

namespace relais::outbox {

struct publisher_settings {
    kafka::producer_settings producer;
    std::string source; ///< x-src
    lsn confirmed = 0;
    /// The first thousand records go one by one: after a refusal, because the broker refuses whole
    /// batches, and to find out which record it means.
    bool careful = false;
};

/// Hands records to Kafka in order and keeps count of what was delivered. One per session: after a
/// failure everything behind the confirmed position is sent again by the next one. Sends only while
/// the lease holds, and has at most events::in_flight_max records of a partition under way.
class publisher {
public:
    publisher(publisher_settings settings, const lease& right, boost::asio::io_context& loop,
              metrics::registry& registry, const relay_metrics& metrics, log::logger logger);

    /// A transaction of the stream: begin, publish each event, commit.
    void begin(lsn commit_lsn, timestamp committed_at);

    /// Waits while too much is in flight, or the lease is over. Error: the producer failed; this
    /// publisher is done for.
    boost::asio::awaitable<result<void>> publish(outgoing event);

    /// Leaves the next event out; those behind it keep their places.
    void skip();

    void commit(lsn end);

    /// The place of the next event in its transaction; counts by itself.
    void set_index(std::uint32_t index) {
        index_ = index;
    }

    /// Everything up to here has been read from the stream.
    void mark(lsn position);

    /// Returns when nothing is in flight, the producer failed, or it is that late.
    boost::asio::awaitable<void> rest(std::chrono::steady_clock::time_point until);

    /// Returns when it is that late, or the producer failed.
    boost::asio::awaitable<void> pause(std::chrono::steady_clock::time_point until);

    /// Returns when nothing is in flight, or with the producer's failure.
    boost::asio::awaitable<result<void>> settle();

    lsn confirmed() const {
        return ring_.confirmed();
    }

    std::size_t outstanding() const {
        return ring_.outstanding();
    }

    std::optional<timestamp> oldest() const {
        return ring_.oldest();
    }

    /// Events delivered or skipped by this publisher.
    std::uint64_t done() const {
        return done_;
    }

    const std::optional<error>& failed() const {
        return failed_;
    }

    /// The first event that Kafka refused for good.
    const std::optional<refusal_of_event>& refused() const {
        return refused_;
    }

    /// Whether records still go one by one.
    bool careful() const {
        return careful_left_ > 0;
    }

    /// Notified when something was delivered or failed.
    async::signal& changed() {
        return changed_;
    }

private:
    /// A record under way.
    struct sent_record {
        confirmation_ring::ticket ticket = 0;
        std::size_t size = 0;
        timestamp committed_at{};
        targets::target* target = nullptr;
        std::uint64_t seq = 0;
    };

    bool has_room(const targets::target& target) const;
    result<void> send(const outgoing& event, targets::target& target);
    void note_failure(const sent_record& sent, const error& why);
    void on_delivery(const sent_record& sent, const result<kafka::delivery>& outcome);

    std::string source_;
    confirmation_ring ring_;
    async::signal changed_;
    async::signal idle_; ///< nothing is in flight any more, or the producer failed
    const lease& right_;
    const relay_metrics& metrics_;
    log::logger logger_;
    targets targets_;
    lsn commit_lsn_ = 0;
    timestamp committed_at_{};
    std::uint32_t index_ = 0;
    std::size_t bytes_in_flight_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t careful_left_ = 0;
    std::optional<error> failed_;
    std::optional<refusal_of_event> refused_;
    kafka::producer producer_; // last: its reports use all of the above
};

} // namespace relais::outbox
