#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

namespace relais::outbox {

/// Writes the event in the caller's transaction: it will be published after COMMIT, in commit
/// order, and never when the transaction rolls back. The only way to publish for a service with a
/// database. Checks before the insert what could stop the relay later: known topic, key present,
/// size ≤ 900 KiB; a violation is a bug and throws std::logic_error.
void append(pg::transaction& tx, const events::event& value);

} // namespace relais::outbox
