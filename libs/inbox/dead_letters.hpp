#pragma once

#include "clock/clock.hpp"
#include "events/event.hpp"
#include "postgres/transaction.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
    std::string fingerprint;                 ///< dead_letter_fingerprint.hpp; empty for old letters
    std::optional<std::string> edited_value; ///< bytes that a redrive runs instead of value
    std::optional<timestamp> discarded_at;

    /// "open", "redriven", "discarded".
    std::string_view state() const;
};

struct dead_letter_filter {
    std::string topic;       ///< empty: all
    std::string reason;      ///< empty: all
    bool redriven = false;   ///< those that are settled (redriven, discarded), too
    std::string fingerprint; ///< empty: all
    std::size_t limit = 100;
};

/// Oldest first. Throws pg::failure, as all of these.
std::vector<dead_letter> list_dead_letters(pg::transaction& tx, const dead_letter_filter& filter);

std::optional<dead_letter> find_dead_letter(pg::transaction& tx, std::int64_t id);

/// Open letters of the same trouble.
struct dead_letter_group {
    std::string fingerprint;
    std::string group;
    std::string topic;
    std::string type;
    std::string reason;
    std::string pattern; ///< of the last error's detail
    std::int64_t letters = 0;
    std::int64_t quarantined = 0; ///< of them: redriven before, and failed again
    std::int64_t example = 0;     ///< the newest one's id
    timestamp oldest{};
    timestamp newest{};
};

/// Largest first.
std::vector<dead_letter_group> group_dead_letters(pg::transaction& tx,
                                                  const dead_letter_filter& filter);

/// The open ones that can be redriven (those whose envelope can be read), in the order in which to
/// do it: by group, topic, partition and offset, so that each key's events keep theirs. Letters
/// that were redriven before are in quarantine: only when asked for.
std::vector<std::int64_t> find_redrivable(pg::transaction& tx, const dead_letter_filter& filter,
                                          bool quarantined_too);

/// Who does something to a letter, and why. Both are kept in the audit.
struct deed {
    std::string by;
    std::string why;
};

// What changes a letter; each adds a row to the audit (dead_letter_audit.hpp) in the transaction.
// Common errors: `not_found` / "no-such-dead-letter", `conflict` / "already-redriven",
// "already-discarded". Of two that do it at once, one meets such a conflict.

/// Gives it back to its consumer, which runs it in its place among the waiting events of its key,
/// within a second; as it was edited, if it was. Once only: if it fails again, it is a new dead
/// letter. Error: `invalid` / "not-redrivable" when its envelope could not be read.
result<void> redrive(pg::transaction& tx, std::int64_t id, timestamp now, const deed& doing = {});

/// Replaces what a redrive runs by a message written as JSON; the original bytes stay. Errors:
/// `invalid` / "not-redrivable", "unknown-type", "payload-json".
result<void> edit(pg::transaction& tx, std::int64_t id, std::string_view json, timestamp now,
                  const deed& doing);

/// It will not be handled, and is no longer counted. Error: `invalid` / "reason-missing" without a
/// why.
result<void> discard(pg::transaction& tx, std::int64_t id, timestamp now, const deed& doing);

/// How many there are, by topic.
struct dead_letter_count {
    std::string topic;
    std::int64_t letters = 0;
    timestamp oldest{};
};

std::vector<dead_letter_count> count_dead_letters(pg::transaction& tx, const std::string& group);

} // namespace relais::inbox
