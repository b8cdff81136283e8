#pragma once

#include "gateway/tls/openssl_handles.hpp"
#include "gateway/tls/ticket_keys.hpp"

namespace relais::gateway {

/// Prepares OpenSSL's contexts for sealing a ticket with the newest key, or for opening one.
/// Returns what SSL_CTX_set_tlsext_ticket_key_evp_cb wants: 1, 2 (opens, but a new ticket is due),
/// 0 (no key: full handshake), -1 (failure).
int prepare_ticket(const ticket_key_set& keys, EVP_CIPHER* cipher, unsigned char* name,
                   unsigned char* vector, EVP_CIPHER_CTX* cipher_context, EVP_MAC_CTX* mac_context,
                   bool seals);

} // namespace relais::gateway
