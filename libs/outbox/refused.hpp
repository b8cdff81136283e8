#pragma once

#include "ids/id.hpp"
#include "postgres/transaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::outbox {

/// Where publishing stands still. Without event (topic empty) all of it waits.
struct blocked_position {
    std::optional<uuid> id;
    std::string topic;
    std::string key;
    std::string type; ///< ce_type
    std::string reason;
    std::string detail;
    timestamp since{};
    timestamp tried_at{};
    std::int64_t tries = 0;

    /// What to do about it, as a sentence.
    std::string next_step() const;
};

std::optional<blocked_position> find_blocked(pg::transaction& tx);

/// An event that was left behind (RELAIS_OUTBOX_REFUSED=divert) or given up.
struct refused_event {
    uuid id;
    std::int64_t seq = 0; ///< of outbox_event
    std::string topic;
    std::string key;
    std::string type;
    std::string reason;
    std::string detail;
    timestamp written_at{};
    timestamp refused_at{};
    std::optional<timestamp> republished_at;
    std::optional<timestamp> discarded_at;
    std::string discarded_by;
    std::string discarded_why;
};

/// Oldest first.
std::vector<refused_event> list_refused(pg::transaction& tx, bool also_settled,
                                        std::size_t at_most);

std::int64_t count_refused(pg::transaction& tx);

/// Appends the event once more, behind all that was written meanwhile, with the same id. Errors:
/// `not_found` / "no-such-refused-event", also when it was republished or discarded already.
result<void> republish(pg::transaction& tx, const uuid& id);

/// Gives up an event that was left behind, or the one that publishing stands still at: then the
/// relay goes on without it at its next try. Errors: as republish(), and `invalid` / "no-reason".
result<void> discard(pg::transaction& tx, const uuid& id, const std::string& by,
                     const std::string& why);

} // namespace relais::outbox
