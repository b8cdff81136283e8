#pragma once

#include "events/event.hpp"
#include "kafka/record.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::inbox {

/// Which events to run again, and whether for good.
struct replay_request {
    std::string topic;
    /// Of the throw-away group. A live replay that is begun again under its name skips what it has
    /// done; the name is free again when one has come to its end without a failure.
    std::string name;
    bool live = false;                     ///< false: muted, nothing is kept
    std::optional<std::int32_t> partition; ///< nullopt: all
    std::optional<std::int64_t> from_offset;
    std::optional<std::int64_t> until_offset; ///< the first one that is not replayed
    std::optional<timestamp> from_time;       ///< the broker's time of the record
    std::optional<timestamp> until_time;
    std::string by; ///< who asked for it, for the audit of a live one
    std::string why;
    std::string key;  ///< only events of this key; empty: all
    std::string type; ///< only events of this type; empty: all
};

/// A statement that changed rows.
struct effect {
    std::string statement;
    std::size_t rows = 0;
};

enum class replay_outcome {
    done,      ///< live: its effects are committed
    muted,     ///< they would have been
    again,     ///< done by this replay before, or a snapshot that is not newer than what is here
    unhandled, ///< no handler for its type
    failed,
    behind, ///< an earlier event of its key failed
};
std::string_view to_string(replay_outcome value);

/// One event that was replayed.
struct replayed {
    kafka::record record;
    const events::event* event = nullptr; ///< nullptr: its envelope could not be read
    replay_outcome what = replay_outcome::done;
    std::optional<error> reason;
    std::vector<effect> effects; ///< also of what was muted
};

struct replay_progress {
    std::int64_t read = 0;      ///< records, those that were filtered out too
    std::int64_t remaining = 0; ///< up to the end that was seen at the start
    std::int64_t done = 0;      ///< live, or muted
    std::int64_t skipped = 0;   ///< again, unhandled
    std::int64_t failed = 0;    ///< failed, behind
    /// What is away while nothing goes on, and how long already: "broker", "database".
    std::string_view waits_for;
    std::chrono::seconds waited{0};
};

/// After each event that passed the filters, and now and then (nullptr).
using replay_report = std::function<void(const replayed*, const replay_progress&)>;

} // namespace relais::inbox
