#pragma once

#include "kafka/record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace relais::ctl {

/// The payload of an event as JSON, with the field names of the .proto file; nullopt when the type
/// is not one of ours or the bytes do not decode.
std::optional<std::string> payload_json(std::string_view type, const std::string& payload);

/// A record as one line of JSON: where it stands, its envelope, other headers, and its message
/// under "data"; bytes that cannot be decoded under "data_base64url"; null for a tombstone.
std::string record_json(const kafka::record& record);

} // namespace relais::ctl
