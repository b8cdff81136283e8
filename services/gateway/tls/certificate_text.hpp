#pragma once

#include "clock/clock.hpp"
#include "gateway/tls/openssl_handles.hpp"

#include <string>
#include <vector>

namespace relais::gateway {

/// The subject alternative names (RFC 5280 §4.2.1.6) that matter to us; names with a NUL inside are
/// left out, because they are made to deceive.
struct certificate_names {
    std::vector<std::string> dns; ///< lower case
    std::vector<std::string> uris;
    std::size_t addresses = 0;
};

certificate_names names_in(const X509* certificate);

/// RFC 2253: "CN=web-api,O=Relais".
std::string subject_of(const X509* certificate);

/// Of the DER form, hexadecimal.
std::string sha256_of(const X509* certificate);

timestamp to_timestamp(const ASN1_TIME* time);

} // namespace relais::gateway
