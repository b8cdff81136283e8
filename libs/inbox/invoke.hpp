#pragma once

#include "inbox/handlers.hpp"
#include "inbox/outcome.hpp"
#include "inbox/parking.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace relais::inbox {

/// What an event's handler is run with.
struct turn {
    const std::string& group;
    const handlers& all;
    const handling& with;
    const events::event& event;
    timestamp now{};
    std::uint32_t attempt = 1;
};

/// Runs a handler in the transaction. A snapshot that was taken (or erased, then with any_version)
/// is added to `arrived`: after COMMIT it wakes who waits for it.
result<outcome> invoke(pg::transaction& tx, const turn& which,
                       std::vector<events::snapshot_need>& arrived);

/// Runs a batch handler for events of its type, each of another key. `guilty`: see
/// consumer::raw_batch_handler.
result<void> invoke_many(pg::transaction& tx, const handlers& all, const handling& with,
                         std::span<const events::event* const> events, timestamp now,
                         std::optional<std::size_t>& guilty);

/// Whether a failed transaction says nothing about the event that was being handled: the database
/// or the way to it is at fault, and the same work is tried again as it was. `in_handler`: a
/// handler was running; then waiting for a lock or a statement's time-out is its failure.
bool is_outage(const error& failed, bool in_handler);

} // namespace relais::inbox
