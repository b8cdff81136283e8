#pragma once

#include <optional>
#include <string_view>

namespace relais::events {

/// The message in a value that Confluent's serializers wrote: a zero byte, the schema's id (4
/// bytes), the message's indexes in the schema (zigzag varints, their count first), the message.
/// nullopt: the value is not framed so. A message of protobuf never begins with a zero byte,
/// because no field has the number 0, so the two cannot be taken for each other. Source:
/// Confluent's documentation, "Wire format" of the schema registry's formats.
std::optional<std::string_view> unwrap_confluent(std::string_view value);

} // namespace relais::events
