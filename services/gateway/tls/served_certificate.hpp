#pragma once

#include "gateway/tls/certificate_store.hpp"
#include "gateway/tls/pem_files.hpp"

#include <vector>

namespace relais::gateway {

/// A certificate that was checked. Inside this folder only.
struct served_certificate {
    key_and_chain material;
    certificate_facts facts;
};

/// Reads and checks one pair of files; adds everything that is wrong to `problems`, and only
/// without that is the value usable.
served_certificate read_served_certificate(const certificate_files& files, timestamp now,
                                           std::vector<error>& problems);

/// Whether the certificate itself is valid now; else adds "certificate-expired" or
/// "certificate-not-yet-valid". Not of its issuers': one that is cross-signed may be sent beside an
/// expired one for old clients' sake, and most clients do not care.
void check_validity(const key_and_chain& material, const std::string& chain_file, timestamp now,
                    std::vector<error>& problems);

} // namespace relais::gateway
