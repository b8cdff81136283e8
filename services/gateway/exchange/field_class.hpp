#pragma once

#include <cstdint>
#include <string_view>

namespace relais::gateway {

/// What a proxy does with a field, by its name.
enum class field_class : std::uint8_t {
    end_to_end,    ///< goes through
    hop_by_hop,    ///< of one hop (RFC 9110 §7.6.1), or framing: written anew, never forwarded
    connection,    ///< hop by hop, and names others that are
    ours,          ///< a client's copy is dropped: we say this, or nobody does
    cookie,        ///< goes through without the session's
    authorization, ///< exchanged for an identity, unless the route forwards it
    host,
    date,
    server,
    request_id,
};

/// One look at a table of names by length; names compare without case.
field_class classify(std::string_view name);

} // namespace relais::gateway
