#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace relais::outbox {

/// A position in the write-ahead log.
using lsn = std::uint64_t;

/// `16/B374D848`, and back. Error: `invalid` / "invalid-lsn".
std::string to_text(lsn value);
result<lsn> parse_lsn(std::string_view text);

/// What a server sends in the copy-both mode of START_REPLICATION (PostgreSQL manual §55.4). Views
/// point into the message.
struct wal_data {
    std::string_view payload; ///< one message of the output plugin
};

struct keepalive {
    lsn wal_end = 0; ///< everything committed before it has been sent
    bool reply_requested = false;
};

using server_message = std::variant<wal_data, keepalive>;

/// Error: `internal` / "replication-protocol".
result<server_message> decode_server_message(std::string_view bytes);

/// Standby status update: all three positions are the confirmed one, because a position counts for
/// us only when Kafka has everything up to it.
std::string encode_status(lsn confirmed, timestamp now, bool reply_requested);

/// Microseconds since 2000-01-01, as the protocol counts.
timestamp from_server_time(std::int64_t microseconds);
std::int64_t to_server_time(timestamp time);

} // namespace relais::outbox
