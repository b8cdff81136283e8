#pragma once

#include "async/signal.hpp"
#include "events/event.hpp"
#include "events/in_flight.hpp"
#include "kafka/producer.hpp"
#include "outbox/confirmation_ring.hpp"
#include "outbox/lease.hpp"
#include "outbox/relay_metrics.hpp"
#include "outbox/targets.hpp"

namespace relais::outbox {

/// Hands records to Kafka in order and keeps count of what was delivered. One per session: after a
/// failure everything behind the confirmed position is sent again by the next one. Sends only while
/// the lease holds, and has at most events::in_flight_max records of a partition under way.
class publisher {
public:
    publisher(kafka::producer_settings settings, std::string source, lsn confirmed,
              const lease& right, boost::asio::io_context& loop, metrics::registry& registry,
              const relay_metrics& metrics, log::logger logger);

    /// A transaction of the stream: begin, publish each event, commit.
    void begin(lsn commit_lsn, timestamp committed_at);

    /// Waits while too much is in flight, or the lease is over. Error: the producer failed; this
    /// publisher is done for.
    boost::asio::awaitable<result<void>> publish(kafka::record value);
    void commit(lsn end);

    /// The place of the next event in its transaction; counts by itself.
    void set_index(std::uint32_t index) {
        index_ = index;
    }

    /// Everything up to here has been read from the stream.
    void mark(lsn position);

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

    /// Events delivered by this publisher.
    std::uint64_t delivered() const {
        return delivered_;
    }

    const std::optional<error>& failed() const {
        return failed_;
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
    };

    result<void> send(const kafka::record& value, targets::target& target);
    void on_delivery(const sent_record& sent, const result<kafka::delivery>& outcome);

    std::string source_;
    confirmation_ring ring_;
    async::signal changed_;
    const lease& right_;
    const relay_metrics& metrics_;
    log::logger logger_;
    targets targets_;
    lsn commit_lsn_ = 0;
    timestamp committed_at_{};
    std::uint32_t index_ = 0;
    std::size_t bytes_in_flight_ = 0;
    std::uint64_t delivered_ = 0;
    std::optional<error> failed_;
    kafka::producer producer_; // last: its reports use all of the above
};

} // namespace relais::outbox
