#pragma once

#include <string_view>

namespace relais::events {

/// PostgreSQL keeps keys, types and ids as text, which holds UTF-8 without NUL only.
bool is_storable_text(std::string_view text);

} // namespace relais::events
