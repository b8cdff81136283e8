#pragma once

#include "notification/domain/kinds.hpp"

#include <string>

namespace relais::notification {

/// The ledger's form of the facts: a flat JSON object.
std::string to_json(const facts& value);

/// Error: `internal` / "bad-facts".
result<facts> facts_from_json(std::string_view json);

} // namespace relais::notification
