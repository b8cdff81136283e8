#pragma once

#include "gateway/client_address/proxy_protocol.hpp"

namespace relais::gateway {

/// The twelve bytes that version 2 begins with.
inline constexpr std::string_view proxy_v2_signature{"\r\n\r\n\0\r\nQUIT\n", 12};

/// parse_proxy_header() for a buffer that begins, as far as it goes, with the signature.
result<std::size_t> parse_proxy_v2(std::string_view buffer, std::size_t block_bytes_max,
                                   proxy_header& header);

} // namespace relais::gateway
