#include "gateway/tls/ticket_seal.hpp"

#include "ids/random.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::size_t vector_bytes = 16;

bool set_mac(EVP_MAC_CTX* context, const ticket_key& key) {
    char digest[] = "SHA256";
    auto mac_key = key.mac_key;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const bool is_set = EVP_MAC_CTX_set_params(context, parameters) == 1;
    OPENSSL_cleanse(mac_key.data(), mac_key.size());
    return is_set;
}

} // namespace

int prepare_ticket(const ticket_key_set& keys, EVP_CIPHER* cipher, unsigned char* name,
                   unsigned char* vector, EVP_CIPHER_CTX* cipher_context, EVP_MAC_CTX* mac_context,
                   bool seals) {
    const std::span name_bytes(name, std::tuple_size_v<decltype(ticket_key::name)>);
    const auto* sealing = &keys.keys[keys.sealing];
    const auto* key = seals ? sealing : keys.find(name_bytes);
    if (key == nullptr) {
        return 0;
    }
    if (seals) {
        random_bytes({vector, vector_bytes});
        std::ranges::copy(key->name, name_bytes.begin());
    }
    if (!set_mac(mac_context, *key) ||
        EVP_CipherInit_ex2(cipher_context, cipher, key->cipher_key.data(), vector, seals ? 1 : 0,
                           nullptr) != 1) {
        return -1;
    }
    return seals || key <= sealing ? 1 : 2; // an older one: the client gets a new ticket
}

} // namespace relais::gateway
