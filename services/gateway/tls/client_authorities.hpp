#pragma once

#include "gateway/tls/pem_files.hpp"
#include "gateway/tls/tls_server.hpp"

#include <string>
#include <vector>

namespace relais::gateway {

/// Whose client certificates a listener takes. Immutable, shared by its acceptors; inside this
/// folder only.
struct client_authorities {
    trust_handle trust;                        ///< nullptr: client certificates are off
    std::vector<certificate_handle> announced; ///< whose names the client is told
    std::vector<std::uint8_t> session_context; ///< a ticket made under another one is no good
};

result<std::shared_ptr<const client_authorities>>
read_client_authorities(const tls_server_settings& settings);

} // namespace relais::gateway
