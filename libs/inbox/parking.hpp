#pragma once

#include "inbox/store.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::inbox {

/// An event in the parking table.
struct parked_event {
    kafka::record record;
    events::event event;
    std::uint32_t attempts = 0; ///< begun
    std::uint32_t failures = 0; ///< ended with an error; attempts − failures ended the process
    std::uint32_t redrives = 0;
    std::string errors = "[]"; ///< of the attempts so far, as JSON
    timestamp parked_at{};
};

/// A held key, as it is looked at from outside.
struct held_key {
    std::string key;
    timestamp next_at{};
    std::vector<events::snapshot_need> waiting_for;
};

/// Appends an event behind the others of its key.
void park(pg::transaction& tx, const place& at, const parked_event& value);

/// Makes a key wait. True: it did not before (count it in held_keys).
bool hold(pg::transaction& tx, const place& at, const std::string& key, timestamp next_at,
          const std::vector<events::snapshot_need>& waiting_for);

/// Locks a held key and reads its first event; nullopt when the key is not held any more.
std::optional<parked_event> lock_first(pg::transaction& tx, const place& at,
                                       const std::string& key);

/// An attempt begins: counted now, so that it counts when it never ends.
void count_attempt(pg::transaction& tx, const place& at, const parked_event& value);
/// An attempt ended with an error (JSON of failure_to_json).
void note_failure(pg::transaction& tx, const place& at, const parked_event& value,
                  const std::string& failure);

/// Takes the first event away; its key waits for nothing any more. True: it was the key's last one
/// and the key is free (subtract it from held_keys).
bool release_first(pg::transaction& tx, const place& at, const parked_event& value, timestamp now);

/// A dead letter. `event` is nullptr when the envelope could not be read.
struct dead_event {
    const kafka::record* record = nullptr;
    const events::event* event = nullptr;
    std::string reason;
    std::uint32_t attempts = 0;
    std::uint32_t redrives = 0;
    std::string errors = "[]";
};

void bury(pg::transaction& tx, const place& at, const dead_event& value);

/// No policy makes a failed event wait longer than half of this. What seems to wait longer was held
/// before the wall clock was set back, and is due.
inline constexpr std::chrono::minutes believed_wait{30};

/// Held keys of a partition that are due, oldest first.
std::vector<std::string> find_due(pg::transaction& tx, const place& at, timestamp now,
                                  std::size_t max);

/// When the next held key of a partition is due; nullopt: none is held.
std::optional<timestamp> find_next_due(pg::transaction& tx, const place& at, timestamp now);

/// Those that wait for snapshots.
std::vector<held_key> find_waiting(pg::transaction& tx, const place& at);

} // namespace relais::inbox
