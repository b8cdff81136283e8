#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"
#include "result/result.hpp"
#include "trace/context.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relais::events {

/// A Kafka header: UTF-8 name and value.
using header = std::pair<std::string, std::string>;
using headers = std::vector<header>;

/// The ce_type of a tombstone, which has no message.
inline constexpr std::string_view tombstone_type = "relais.Tombstone";

/// What made an event happen: its trace, and the ids that chain causes (CloudEvents extensions
/// correlationid: the first cause, causationid: the direct one).
struct cause {
    trace::context trace;
    std::string correlation_id;
    std::string causation_id;

    /// The beginning of a chain: a request from outside.
    static cause from_request(const trace::context& trace, std::string request_id);
};

/// An event needs this version of a snapshot (kind "contact" or "job") before it can be handled.
struct snapshot_need {
    std::string kind;
    std::string id;
    std::uint64_t version = 0;

    friend bool operator==(const snapshot_need&, const snapshot_need&) = default;
};

/// Where a record of one of our relays stands in its source: strictly increasing per partition.
struct position {
    std::string source;      ///< "<service>:<epoch>" (header x-src)
    std::uint64_t lsn = 0;   ///< commit LSN (x-lsn)
    std::uint32_t index = 0; ///< place in the transaction (x-idx)
};

/// One event with its envelope: CloudEvents 1.0, Kafka binary mode.
struct event {
    event_id id;
    std::string type;   ///< full name of the protobuf message
    std::string source; ///< "relais/<service>"
    timestamp time{};
    std::string topic;
    std::string
        key; ///< the aggregate's id: order holds per key; also ce_subject and ce_partitionkey
    std::string payload;    ///< serialized protobuf
    bool tombstone = false; ///< a null value: erases the key on a snapshot topic
    events::cause cause;
    std::optional<timestamp> expires_at; ///< after this moment it is not worth handling
    std::vector<snapshot_need> needs;
    std::optional<events::position> position; ///< set on what was read from a relay's topic

    /// The cause for events that follow from this one.
    events::cause as_cause() const;
};

/// Wraps a message. Topic and key come from the message's options (relais.options.v1).
/// A message without them, or whose key field is empty, is a bug (assert).
event make_event(const google::protobuf::Message& message, std::string_view service,
                 const cause& why, timestamp now);

/// A null value for a key of a snapshot topic.
event make_tombstone(std::string_view topic, std::string_view key, std::string_view service,
                     const cause& why, timestamp now);

/// The topic that the message's options name; empty when it is not an event.
std::string topic_of(const google::protobuf::Descriptor& type);

/// The headers of the record that carries it (position included when set).
headers to_headers(const event& value);

/// x-src, x-lsn and x-idx, which a relay adds when it publishes.
headers position_headers(const position& value);

/// A record in memory that belongs to somebody else.
struct record_view {
    std::string_view topic;
    std::string_view key;
    std::optional<std::string_view> value; ///< nullopt: a null value
    std::span<const std::pair<std::string_view, std::string_view>> headers;
};

/// Reads a record back. Unknown headers are ignored; a value in Confluent's framing is taken out of
/// it. Errors: `invalid` / "bad-envelope" with the
/// header's name in detail ("key" for a key that is empty or not UTF-8).
result<event> from_record(const record_view& record);
/// The same into an event that is there already: what its texts have room for costs no memory anew.
/// After an error what it holds means nothing. It is new or was read by this before: texts that are
/// the same again are not checked again.
result<void> read_record(const record_view& record, event& into);
result<event> from_record(std::string_view topic, std::string_view key,
                          std::optional<std::string_view> value, const headers& fields);

/// Parses the payload. Error: `invalid` / "undecodable-payload". Unknown fields are kept.
template <class Message>
result<Message> decode(const event& value) {
    Message message;
    if (!message.ParseFromString(value.payload)) {
        return fail(error_kind::invalid, "undecodable-payload", value.type);
    }
    return message;
}

} // namespace relais::events
