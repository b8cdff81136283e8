#include "gateway/tls/client_authorities.hpp"
#include "gateway/tls/served_certificate.hpp"
#include "gateway/tls/server_name.hpp"
#include "gateway/tls/ticket_seal.hpp"
#include "gateway/tls/tls_context.hpp"
#include "gateway/tls/tls_server.hpp"
#include "gateway/tls/tls_session_state.hpp"

#include <cassert>
#include <stdexcept>

namespace relais::gateway {
namespace {

/// The name in the client's hello while OpenSSL has not read it yet (RFC 6066 §3: two bytes of
/// length, the type 0, two bytes of length, the name); what has another form OpenSSL refuses later.
std::string_view asked_name(SSL* ssl) {
    constexpr std::size_t head_bytes = 5;
    const unsigned char* extension = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) != 1 ||
        size < head_bytes) {
        return {};
    }
    return {reinterpret_cast<const char*>(extension) + head_bytes, size - head_bytes};
}

} // namespace

/// A context for each loop: its reference count, its statistics and what it keeps are then nobody
/// else's cache line.
struct tls_acceptor::state {
    explicit state(const tls_server& server);

    void follow();
    void trust(const client_authorities& authorities);

    static state& of(const SSL* ssl) {
        return *static_cast<state*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    }

    static int on_certificate(SSL* ssl, void* unused);
    static int on_server_name(SSL* ssl, int* alert, void* unused);
    static int on_protocols(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                            const unsigned char* offered, unsigned offered_size, void* self);
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* vector,
                         EVP_CIPHER_CTX* cipher_context, EVP_MAC_CTX* mac_context, int seals);
    static SSL_TICKET_RETURN on_opened(SSL* ssl, SSL_SESSION* session, const unsigned char* name,
                                       std::size_t name_size, SSL_TICKET_STATUS status,
                                       void* unused);

    const clock& time;
    client_certificates client_policy;
    std::vector<unsigned char> protocols;
    cipher_handle ticket_cipher;
    published<certificate_store>::view certificates;
    published<ticket_key_set>::view ticket_keys;
    published<client_authorities>::view authorities;
    const certificate_store* store = nullptr;
    const ticket_key_set* keys = nullptr;
    context_handle context;
};

tls_acceptor::state::state(const tls_server& server)
    : time(server.clock_), client_policy(server.settings_.client_certificates),
      protocols(alpn_list(server.settings_.alpn)),
      ticket_cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)),
      certificates(server.certificates_), ticket_keys(server.ticket_keys_),
      authorities(server.authorities_), context(make_context(TLS_server_method())) {
    SSL_CTX* const raw = context.get();
    const auto& settings = server.settings_;
    if (settings.version_min == tls_version::tls_1_3) {
        SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION);
    }
    SSL_CTX_set_app_data(raw, this);
    SSL_CTX_set_timeout(raw, static_cast<long>(settings.session_lifetime.count()));
    SSL_CTX_set_num_tickets(raw, settings.tickets);
    SSL_CTX_set_cert_cb(raw, on_certificate, nullptr);
    SSL_CTX_set_tlsext_servername_callback(raw, on_server_name);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(raw, on_ticket);
    SSL_CTX_set_session_ticket_cb(raw, nullptr, on_opened, nullptr);
    if (!protocols.empty()) {
        SSL_CTX_set_alpn_select_cb(raw, on_protocols, this);
    }
    follow();
    if (ticket_cipher == nullptr || store == nullptr || keys == nullptr) {
        throw std::runtime_error("an acceptor needs certificates and ticket keys");
    }
}

/// Takes what was published since the last connection. It stays until the next call, so handshakes
/// that are under way may see it change between two of their steps, but never vanish.
void tls_acceptor::state::follow() {
    store = certificates.look();
    keys = ticket_keys.look();
    bool is_new = false;
    const auto* current = authorities.look(&is_new);
    if (is_new) {
        trust(*current);
    }
}

void tls_acceptor::state::trust(const client_authorities& current) {
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_session_id_context(raw, current.session_context.data(),
                                   static_cast<unsigned>(current.session_context.size()));
    if (current.trust == nullptr) {
        return;
    }
    SSL_CTX_set1_cert_store(raw, current.trust.get());
    SSL_CTX_set_client_CA_list(raw, sk_X509_NAME_new_null());
    for (const auto& each : current.announced) {
        SSL_CTX_add_client_CA(raw, each.get());
    }
    const int required =
        client_policy == client_certificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | required, nullptr);
}

int tls_acceptor::state::on_certificate(SSL* ssl, void* /*unused*/) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const bool is_named = name != nullptr && is_host_name(name);
    const auto& choice = of(ssl).store->choose(is_named ? name : "");
    for (const auto* each : {choice.ecdsa, choice.rsa}) {
        if (each != nullptr &&
            SSL_use_cert_and_key(ssl, each->material.leaf.get(), each->material.key.get(),
                                 each->material.chain.get(), 1) != 1) {
            return 0;
        }
    }
    return 1;
}

/// Accepts any name: only then does a TLS 1.2 session remember it for its resumption.
int tls_acceptor::state::on_server_name(SSL* /*ssl*/, int* /*alert*/, void* /*unused*/) {
    return SSL_TLSEXT_ERR_OK;
}

int tls_acceptor::state::on_protocols(SSL* /*ssl*/, const unsigned char** out,
                                      unsigned char* out_size, const unsigned char* offered,
                                      unsigned offered_size, void* self) {
    const auto& ours = static_cast<const state*>(self)->protocols;
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(
        &chosen, out_size, ours.data(), static_cast<unsigned>(ours.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// In TLS 1.3 a ticket is used once, so each that opens is followed by another.
int tls_acceptor::state::on_ticket(SSL* ssl, unsigned char* name, unsigned char* vector,
                                   EVP_CIPHER_CTX* cipher_context, EVP_MAC_CTX* mac_context,
                                   int seals) {
    constexpr int opens = 1;
    constexpr int opens_and_renews = 2;
    const auto& self = of(ssl);
    const int prepared = prepare_ticket(*self.keys, self.ticket_cipher.get(), name, vector,
                                        cipher_context, mac_context, seals == 1);
    const bool is_used_up = seals == 0 && prepared == opens && SSL_version(ssl) == TLS1_3_VERSION;
    return is_used_up ? opens_and_renews : prepared;
}

/// A session goes on only under the name it began with (RFC 6066 §3); OpenSSL does not look.
SSL_TICKET_RETURN tls_acceptor::state::on_opened(SSL* ssl, SSL_SESSION* session,
                                                 const unsigned char* /*name*/,
                                                 std::size_t /*name_size*/,
                                                 SSL_TICKET_STATUS status, void* /*unused*/) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const char* begun_with = SSL_SESSION_get0_hostname(session);
    if (asked_name(ssl) != (begun_with != nullptr ? begun_with : "")) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

tls_acceptor::tls_acceptor(const tls_server& server) : state_(std::make_unique<state>(server)) {}

tls_acceptor::~tls_acceptor() = default;
tls_acceptor::tls_acceptor(tls_acceptor&&) noexcept = default;
tls_acceptor& tls_acceptor::operator=(tls_acceptor&&) noexcept = default;

bool tls_acceptor::is_same_certificate(std::string_view one, std::string_view other) const {
    const auto& store = *state_->store;
    return store.choose(one) == store.choose(other);
}

tls_session tls_acceptor::accept(int descriptor) {
    state_->follow();
    auto made = std::make_unique<tls_session_state>(tls_role::server, descriptor, state_->time);
    attach(*made, ssl_handle(SSL_new(state_->context.get())));
    return tls_session(std::move(made));
}

} // namespace relais::gateway
