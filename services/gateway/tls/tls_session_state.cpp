#include "gateway/tls/tls_session_state.hpp"

namespace relais::gateway {

/// OpenSSL takes a session whose connection ended without close_notify for spoilt; that is a matter
/// of the content (we report it as truncated), not of the keys.
tls_session_state::~tls_session_state() {
    if (established && failure == tls_failure::none) {
        SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
}

void attach(tls_session_state& state, ssl_handle ssl) {
    auto bio = state.socket.make_bio();
    if (ssl == nullptr || bio == nullptr) {
        state.failure = tls_failure::internal;
        return;
    }
    state.ssl = std::move(ssl);
    SSL* const raw = state.ssl.get();
    SSL_set_bio(raw, bio.get(), bio.get());
    [[maybe_unused]] auto* const given = bio.release(); // the session owns it now
    SSL_set_app_data(raw, &state);
    if (state.role == tls_role::server) {
        SSL_set_accept_state(raw);
    } else {
        SSL_set_connect_state(raw);
    }
}

} // namespace relais::gateway
