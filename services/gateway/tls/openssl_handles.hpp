#pragma once

// Inside this folder only: no public header includes it.

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace relais::gateway {

template <auto Free>
struct freed_by {
    template <class Type>
    void operator()(Type* held) const {
        Free(held);
    }
};

inline void free_stack(STACK_OF(X509) * stack) {
    sk_X509_pop_free(stack, X509_free);
}

inline void free_stack(GENERAL_NAMES* names) {
    GENERAL_NAMES_free(names);
}

struct stack_freed {
    template <class Type>
    void operator()(Type* held) const {
        free_stack(held);
    }
};

using bio_handle = std::unique_ptr<BIO, freed_by<BIO_free>>;
using cipher_handle = std::unique_ptr<EVP_CIPHER, freed_by<EVP_CIPHER_free>>;
using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;
using chain_handle = std::unique_ptr<STACK_OF(X509), stack_freed>;
using names_handle = std::unique_ptr<GENERAL_NAMES, stack_freed>;
using trust_handle = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using context_handle = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_handle = std::unique_ptr<SSL, freed_by<SSL_free>>;
using session_handle = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;

} // namespace relais::gateway
