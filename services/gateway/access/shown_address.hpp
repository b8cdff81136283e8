#pragma once

#include "gateway/access/access_record.hpp"

#include <string>

namespace relais::gateway {

/// How much of a client's address may be seen.
enum class client_shown : std::uint8_t {
    none,
    network, ///< the first 24 bits of v4, 48 of v6: "203.0.113.0/24"
    whole,
};

/// Appends the client's address as text (RFC 5952 for v6), or nothing when the record has none.
void append_client(std::string& out, const access_record& record, client_shown how);

} // namespace relais::gateway
