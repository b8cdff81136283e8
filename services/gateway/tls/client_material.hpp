#pragma once

#include "gateway/tls/pem_files.hpp"
#include "gateway/tls/tls_client.hpp"

namespace relais::gateway {

/// What a client shows and believes. Immutable, shared by its connectors; inside this folder only.
struct client_material {
    trust_handle trust;
    key_and_chain own; ///< empty: we show none
};

std::expected<std::shared_ptr<const client_material>, std::vector<error>>
read_client_material(const tls_client_settings& settings, timestamp now);

} // namespace relais::gateway
