#pragma once

#include "events/event.hpp"
#include "mailing-list-sync/domain/sync_decision.hpp"
#include "postgres/transaction.hpp"

#include <optional>
#include <string>

namespace relais::mailing_list_sync {

/// Reads all there is about a person and decides. nullopt: nobody by that id.
std::optional<sync_decision> decide_for(pg::transaction& tx, const std::string& account_id);

/// Decides, and asks for a sync when something differs. Returns whether it did.
bool request_sync_if_needed(pg::transaction& tx, const std::string& account_id, timestamp now,
                            const events::cause& why);

} // namespace relais::mailing_list_sync
