#pragma once

#include "kafka/record.hpp"

#include <optional>
#include <string>

namespace relais::gateway {

// What the edge takes from records that are for many; nothing: it says something else.

/// From identity.account.events.v1: the credential that is not to be honoured any more.
std::optional<std::string> revoked_credential(const kafka::record& record);

/// From edge.cache.events.v1: the surrogate key of what is not to be given any more.
std::optional<std::string> purged_key(const kafka::record& record);

} // namespace relais::gateway
