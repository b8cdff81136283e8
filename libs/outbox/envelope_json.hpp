#pragma once

#include "events/event.hpp"
#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais::outbox {

/// How a record's headers lie in the table: one JSON object in their order, so that
/// `headers->>'ce_type'` works in SQL.
std::string headers_to_json(const events::headers& fields);

/// Error: `invalid` / "outbox-headers".
result<events::headers> headers_from_json(std::string_view text);

} // namespace relais::outbox
