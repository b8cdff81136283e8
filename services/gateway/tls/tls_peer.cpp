#include "gateway/tls/certificate_text.hpp"
#include "gateway/tls/tls_session.hpp"
#include "gateway/tls/tls_session_state.hpp"

namespace relais::gateway {

std::optional<tls_peer> tls_session::peer() const {
    const X509* certificate =
        state_->established ? SSL_get0_peer_certificate(state_->ssl.get()) : nullptr;
    if (certificate == nullptr || SSL_get_verify_result(state_->ssl.get()) != X509_V_OK) {
        return std::nullopt;
    }
    auto names = names_in(certificate);
    return tls_peer{subject_of(certificate), std::move(names.dns), std::move(names.uris),
                    sha256_of(certificate), to_timestamp(X509_get0_notAfter(certificate))};
}

} // namespace relais::gateway
