#pragma once

#include "clock/clock.hpp"
#include "events/event.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace relais::inbox {

/// A record's headers as they lie in the tables: [["ce_id","…"],["x","…"]], in their order. A value
/// that is not text becomes {"base64url":"…"}.
std::string headers_to_json(const events::headers& fields);

/// Error: `internal` / "stored-headers".
result<events::headers> headers_from_json(std::string_view text);

/// One failed attempt: [{"at":…,"attempt":…,"kind":…,"slug":…,"detail":…}], to be appended to the
/// ones before. The detail is cut to 500 characters.
std::string failure_to_json(const error& reason, std::uint32_t attempt, timestamp at);

/// Two such lists as one.
std::string join_failures(const std::string& earlier, const std::string& later);

} // namespace relais::inbox
