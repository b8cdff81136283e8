#pragma once

#include "kafka/record.hpp"

#include <string>

namespace relais::inbox {

/// A record as one line of JSON: where it stands, its envelope, other headers, and its message
/// under "data"; bytes that cannot be decoded under "data_base64url"; null for a tombstone.
std::string record_json(const kafka::record& record);

} // namespace relais::inbox
