#pragma once

#include <string_view>

namespace relais::gateway {

/// Whether these bytes can be a host's name as SNI gives it (RFC 6066 §3: letters, digits, hyphens
/// and underscores in labels of at most 63, no final dot, 253 in all). An address is none.
bool is_host_name(std::string_view name);

} // namespace relais::gateway
