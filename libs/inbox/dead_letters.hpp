#pragma once

#include "clock/clock.hpp"
#include "events/event.hpp"
#include "postgres/transaction.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::inbox {

/// An event that could not be handled, as it lies in the consumer's database.
struct dead_letter {
    std::int64_t id = 0;
    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::string key;                  ///< bytes
    std::optional<std::string> value; ///< bytes
    events::headers headers;
    timestamp record_time{};
    std::optional<event_id> event;
    std::string type;
    std::string reason; ///< slug of the last error
    std::uint32_t attempts = 0;
    std::string errors; ///< JSON: [{at, attempt, kind, slug, detail}], oldest first
    std::uint32_t redrives = 0;
    timestamp dead_at{};
    std::optional<timestamp> redriven_at;
};

struct dead_letter_filter {
    std::string topic;     ///< empty: all
    std::string reason;    ///< empty: all
    bool redriven = false; ///< those that were redriven too
    std::size_t limit = 100;
};

/// Oldest first. Throws pg::failure, as all of these.
std::vector<dead_letter> list_dead_letters(pg::transaction& tx, const dead_letter_filter& filter);

std::optional<dead_letter> find_dead_letter(pg::transaction& tx, std::int64_t id);

/// Gives it back to its consumer, which runs it in its place among the waiting events of its key,
/// within a second. Once only: if it fails again, it is a new dead letter. Errors: `not_found` /
/// "no-such-dead-letter", `conflict` / "already-redriven", `invalid` / "not-redrivable" when its
/// envelope could not be read.
result<void> redrive(pg::transaction& tx, std::int64_t id, timestamp now);

/// How many there are, by topic.
struct dead_letter_count {
    std::string topic;
    std::int64_t letters = 0;
    timestamp oldest{};
};

std::vector<dead_letter_count> count_dead_letters(pg::transaction& tx, const std::string& group);

} // namespace relais::inbox
