#pragma once

#include "result/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace relais::events {

/// The payload of an event as JSON, with the field names of the .proto file; nullopt when the type
/// is not one of those that the program was linked with, or the bytes do not decode.
std::optional<std::string> payload_to_json(std::string_view type, const std::string& payload);

/// The other way: strict, a field that the type does not have is an error. Errors: `invalid` /
/// "unknown-type", "payload-json" with what is wrong.
result<std::string> payload_from_json(std::string_view type, std::string_view json);

} // namespace relais::events
