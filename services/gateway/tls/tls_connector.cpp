#include "gateway/tls/client_material.hpp"
#include "gateway/tls/server_name.hpp"
#include "gateway/tls/ticket_shelf.hpp"
#include "gateway/tls/tls_client.hpp"
#include "gateway/tls/tls_context.hpp"
#include "gateway/tls/tls_session_state.hpp"

#include <cassert>

namespace relais::gateway {
namespace {

/// Whom the peer has to prove to be. Addresses are no SNI (RFC 6066 §3).
bool expect_name(SSL* ssl, const std::string& name) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1) {
        return true;
    }
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return is_host_name(name) && SSL_set1_host(ssl, name.c_str()) == 1 &&
           SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

} // namespace

struct tls_connector::state {
    explicit state(const tls_client& client);

    void follow();
    ssl_handle make_ssl(const std::string& server_name, const std::string& target);
    static int on_ticket(SSL* ssl, SSL_SESSION* ticket);

    const clock& time;
    published<client_material>::view material;
    ticket_shelf shelf;
    context_handle context;
};

tls_connector::state::state(const tls_client& client)
    : time(client.clock_), material(client.material_), context(make_context(TLS_client_method())) {
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_app_data(raw, this);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, on_ticket);
    const auto protocols = alpn_list(client.settings_.alpn);
    SSL_CTX_set_alpn_protos(raw, protocols.data(), static_cast<unsigned>(protocols.size()));
    follow();
}

void tls_connector::state::follow() {
    bool is_new = false;
    const auto* current = material.look(&is_new);
    if (!is_new) {
        return;
    }
    SSL_CTX* const raw = context.get();
    SSL_CTX_set1_cert_store(raw, current->trust.get());
    if (current->own.leaf != nullptr) {
        SSL_CTX_use_cert_and_key(raw, current->own.leaf.get(), current->own.key.get(),
                                 current->own.chain.get(), 1);
    }
    shelf.clear();
}

ssl_handle tls_connector::state::make_ssl(const std::string& server_name,
                                          const std::string& target) {
    ssl_handle ssl(SSL_new(context.get()));
    if (ssl == nullptr || !expect_name(ssl.get(), server_name)) {
        return nullptr;
    }
    auto ticket = shelf.take(target);
    if (ticket == nullptr || SSL_SESSION_is_resumable(ticket.get()) != 1) {
        return ssl;
    }
    SSL_set_session(ssl.get(), ticket.get());
    if (SSL_SESSION_get_protocol_version(ticket.get()) < TLS1_3_VERSION) {
        shelf.put(target, std::move(ticket)); // no new one may come before it is too old
    }
    return ssl;
}

/// 1: the ticket is ours from here on.
int tls_connector::state::on_ticket(SSL* ssl, SSL_SESSION* ticket) {
    auto& self = *static_cast<state*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const auto& session = *static_cast<const tls_session_state*>(SSL_get_app_data(ssl));
    self.shelf.put(session.target, session_handle(ticket));
    return 1;
}

tls_connector::tls_connector(const tls_client& client) : state_(std::make_unique<state>(client)) {}

tls_connector::~tls_connector() = default;
tls_connector::tls_connector(tls_connector&&) noexcept = default;
tls_connector& tls_connector::operator=(tls_connector&&) noexcept = default;

tls_session tls_connector::connect(int descriptor, std::string_view server_name,
                                   std::string_view target) {
    state_->follow();
    auto made = std::make_unique<tls_session_state>(tls_role::client, descriptor, state_->time);
    made->target = target;
    attach(*made, state_->make_ssl(std::string(server_name), made->target));
    return tls_session(std::move(made));
}

std::size_t tls_connector::tickets(std::string_view target) const {
    return state_->shelf.count(target);
}

} // namespace relais::gateway
