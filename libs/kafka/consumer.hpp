#pragma once

#include "kafka/record.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct rd_kafka_message_s; // the client's

namespace relais::kafka {

struct topic_partition {
    std::string topic;
    std::int32_t partition = 0;

    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};

/// Where to begin to read. nullopt: at the oldest record.
struct partition_start {
    topic_partition where;
    std::optional<std::int64_t> offset;
};

/// The group gave partitions to this member, or takes all of them back. Lost: somebody else may
/// have them already.
struct rebalance {
    enum class kind { assigned, revoked, lost };
    rebalance::kind what = kind::assigned;
    std::vector<topic_partition> partitions;
};

struct consumer_settings {
    std::string brokers;
    std::string client_id;
    std::string group;
    std::string
        instance; ///< static membership when not empty: stable over restarts, unique in the group
    std::vector<std::string> topics; ///< none: no group, the caller assigns partitions itself
    std::string topic_prefix;        ///< as the producer's
    std::chrono::milliseconds session_timeout{10'000};
    /// Of a partition: fewer than these ask for the next fetch. Small, because each fetch costs the
    /// broker the same, and those of other partitions are there meanwhile.
    std::size_t queued_messages_min = 200;
    std::size_t memory_max_bytes = std::size_t{7} * 1024 * 1024; ///< all partitions, roughly
    bool tells_ends = false;                                     ///< read_through() is known
};

/// A record where the client keeps it: valid as long as the `fetched` that it belongs to. May be
/// used by any thread, by one at a time.
class message {
public:
    std::int64_t offset() const;
    timestamp time() const; ///< of the broker or the producer
    std::string_view key() const;
    record copy() const;
    /// The event in it (see events::from_record for the errors). What `into` held before is gone;
    /// its memory is used again.
    void read(result<events::event>& into) const;

private:
    friend class fetched;

    message(rd_kafka_message_s* native, const std::string& topic)
        : native_(native), topic_(&topic) {}

    rd_kafka_message_s* native_;
    const std::string* topic_;
};

/// Records of a partition as they were fetched, in their order.
class fetched {
public:
    fetched();
    ~fetched();
    fetched(fetched&& other) noexcept;
    fetched& operator=(fetched&& other) noexcept;

    std::size_t size() const;

    /// Of keys and values.
    std::size_t bytes() const;

    bool empty() const {
        return size() == 0;
    }

    message operator[](std::size_t index) const;

private:
    friend class consumer;
    struct state;
    std::unique_ptr<state> state_;
};

/// A member of a consumer group (range assignor, so that partitions with one number of several
/// topics come to one member). Records are taken partition by partition; whoever does not take from
/// a partition stops its fetching, not the others'. Offsets are the caller's matter: Kafka's own
/// are only told how far it got. All on the loop's thread. Metrics:
/// kafka_consumer_rebalances_total, kafka_consumer_assigned_partitions,
/// kafka_consumer_errors_total{kind}.
class consumer {
public:
    consumer(consumer_settings settings, boost::asio::io_context& loop, metrics::registry& metrics,
             log::logger logger);

    /// Leaves without waiting; close() first for an orderly end.
    ~consumer();
    consumer(const consumer&) = delete;
    consumer& operator=(const consumer&) = delete;

    /// Returns when there may be something new: a rebalance, records, or a second has passed.
    boost::asio::awaitable<void> wait();

    /// A rebalance that waits for its answer: assign() for assigned, unassign() for the others. The
    /// group stands still until then.
    std::optional<rebalance> take_rebalance();

    /// Begins to fetch these partitions and no others.
    void assign(const std::vector<partition_start>& partitions);
    void unassign();

    /// Whether take() would return something.
    bool has_records(const topic_partition& from) const;

    /// What has been fetched of a partition, in order; at least one record if there is any, then up
    /// to these limits. Empty: nothing there now, wait() again. Never blocks.
    std::vector<record> take(const topic_partition& from, std::size_t records_max,
                             std::size_t bytes_max);

    /// As take(), without copying them.
    fetched fetch(const topic_partition& from, std::size_t records_max, std::size_t bytes_max);

    /// The offset up to which this member is done: shown by Kafka's tools, not used by us.
    void store_offset(const topic_partition& where, std::int64_t next);

    /// The offset that the next produced record gets, as last heard; nullopt before the first
    /// fetch.
    std::optional<std::int64_t> end_offset(const topic_partition& where) const;

    /// With tells_ends: the broker had nothing before this offset that was not fetched, also where
    /// compaction took records away; nullopt as long as there was something.
    std::optional<std::int64_t> read_through(const topic_partition& where) const;

    /// No broker can be reached at the moment.
    bool broker_down() const;

    /// Cannot go on (its place in the group was taken by another instance with the same name, …):
    /// destroy it and make a new one.
    bool fatal() const;

    /// Leaves the group. Rebalances are answered by itself; no partition may be in use any more.
    /// Returns after the end or after this long.
    boost::asio::awaitable<void> close(std::chrono::milliseconds at_most);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::kafka
