#pragma once

#include "events/event.hpp"
#include "postgres/transaction.hpp"

#include <span>

namespace relais::outbox {

/// Writes the event in the caller's transaction: it will be published after COMMIT, in commit
/// order, and never when the transaction rolls back. The only way to publish for a service with a
/// database. Checks before the insert what could stop the relay later: known topic, key present,
/// size ≤ 900 KiB; a violation is a bug and throws std::logic_error.
void append(pg::transaction& tx, const events::event& value);

/// The same for many, in their order, with a statement for every thousand (or 8 MiB) of them. All
/// are checked before the first is written.
void append(pg::transaction& tx, std::span<const events::event> values);

} // namespace relais::outbox
