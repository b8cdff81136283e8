#include "gateway/tls/tls_context.hpp"

#include <stdexcept>

namespace relais::gateway {
namespace {

constexpr const char* ciphers_tls_1_2 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* ciphers_tls_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256";
constexpr std::size_t protocol_max = 255;
/// A chain of a few certificates; what is larger is sent to cost us memory.
constexpr long peer_chain_bytes_max = 32L * 1024;

} // namespace

std::vector<unsigned char> alpn_list(std::span<const std::string> protocols) {
    std::vector<unsigned char> out;
    for (const auto& each : protocols) {
        if (each.empty() || each.size() > protocol_max) {
            throw std::invalid_argument("a protocol's name for ALPN has 1 to 255 bytes");
        }
        out.push_back(static_cast<unsigned char>(each.size()));
        out.insert(out.end(), each.begin(), each.end());
    }
    return out;
}

context_handle make_context(const SSL_METHOD* method) {
    context_handle context(SSL_CTX_new(method));
    SSL_CTX* const raw = context.get();
    if (raw == nullptr || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(raw, ciphers_tls_1_2) != 1 ||
        SSL_CTX_set_ciphersuites(raw, ciphers_tls_1_3) != 1 ||
        SSL_CTX_set1_groups_list(raw, groups) != 1) {
        throw std::runtime_error("OpenSSL cannot be used with our settings");
    }
    // AES-128 with SHA-256 first, unless the client begins with ChaCha20 (it has no AES hardware):
    // cheaper, above all in the handshake, than the AES-256 with SHA-384 that OpenSSL's clients
    // list first.
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    // One read of the socket takes a whole record and what follows it, instead of header and body.
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_max_cert_list(raw, peer_chain_bytes_max);
    return context;
}

} // namespace relais::gateway
