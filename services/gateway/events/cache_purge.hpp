#pragma once

#include "kafka/record.hpp"

#include <optional>
#include <string>

namespace relais::gateway {

/// What a record of edge.cache.events.v1 says is not to be given any more; nothing: it says
/// something else.
std::optional<std::string> purged_key(const kafka::record& record);

} // namespace relais::gateway
