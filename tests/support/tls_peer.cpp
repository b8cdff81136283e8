#include "support/tls_peer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace relais::test {

using gateway::tls_outcome;
using gateway::tls_session;
using gateway::tls_status;

struct tls_peer_client::state {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = nullptr;
    SSL_SESSION* ticket = nullptr;
    std::string server_name;
    bool failed = false;
    bool closed = false;
    unsigned long code = 0;
    std::vector<std::size_t> records;

    ~state() {
        SSL_SESSION_free(ticket);
        SSL_free(ssl);
        SSL_CTX_free(context);
    }

    void note(int returned) {
        const int what = SSL_get_error(ssl, returned);
        if (what == SSL_ERROR_ZERO_RETURN) {
            closed = true;
        } else if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE) {
            failed = true;
            code = ERR_peek_error();
        }
        ERR_clear_error();
    }

    /// Of a ticket that was renewed in TLS 1.2 OpenSSL says nothing.
    void keep_ticket() {
        if (ticket == nullptr && SSL_is_init_finished(ssl) == 1 &&
            SSL_version(ssl) == TLS1_2_VERSION) {
            ticket = SSL_get1_session(ssl);
        }
    }

    static int on_ticket(SSL* ssl, SSL_SESSION* session) {
        auto& self = *static_cast<state*>(SSL_get_app_data(ssl));
        SSL_SESSION_free(self.ticket);
        self.ticket = session;
        return 1;
    }

    static void on_message(int is_write, int /*version*/, int type, const void* bytes,
                           std::size_t /*size*/, SSL* ssl, void* /*unused*/) {
        const auto* head = static_cast<const unsigned char*>(bytes);
        if (is_write == 0 && type == SSL3_RT_HEADER && head[0] == SSL3_RT_APPLICATION_DATA) {
            auto& self = *static_cast<state*>(SSL_get_app_data(ssl));
            self.records.push_back(static_cast<std::size_t>(head[3] << 8 | head[4]));
        }
    }
};

tls_peer_client::tls_peer_client(const peer_settings& settings)
    : state_(std::make_unique<state>()) {
    SSL_CTX* const raw = state_->context;
    state_->server_name = settings.server_name;
    SSL_CTX_set_security_level(raw, 0); // or it would not offer what we refuse
    SSL_CTX_set_min_proto_version(raw, settings.version_min);
    SSL_CTX_set_max_proto_version(raw, settings.version_max);
    if (!settings.ca_file.empty()) {
        SSL_CTX_load_verify_locations(raw, settings.ca_file.c_str(), nullptr);
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    }
    if (!settings.chain_file.empty()) {
        SSL_CTX_use_certificate_chain_file(raw, settings.chain_file.c_str());
        SSL_CTX_use_PrivateKey_file(raw, settings.key_file.c_str(), SSL_FILETYPE_PEM);
    }
    if (!settings.ciphers.empty()) {
        SSL_CTX_set_cipher_list(raw, settings.ciphers.c_str());
    }
    if (settings.small_fragments) {
        SSL_CTX_set_tlsext_max_fragment_length(raw, TLSEXT_max_fragment_length_512);
    }
    std::string protocols;
    for (const auto& each : settings.alpn) {
        protocols += static_cast<char>(each.size());
        protocols += each;
    }
    SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, state::on_ticket);
}

tls_peer_client::~tls_peer_client() = default;

void tls_peer_client::connect(int socket, const std::string& server_name) {
    auto& self = *state_;
    if (self.ssl != nullptr) {
        self.keep_ticket();
        SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(self.ssl);
    }
    self.ssl = SSL_new(self.context);
    self.failed = false;
    self.closed = false;
    self.records.clear();
    const auto& name = server_name.empty() ? self.server_name : server_name;
    SSL_set_app_data(self.ssl, &self);
    SSL_set_msg_callback(self.ssl, state::on_message);
    SSL_set_fd(self.ssl, socket);
    if (!name.empty()) {
        SSL_set_tlsext_host_name(self.ssl, name.c_str());
    }
    if (self.ticket != nullptr) {
        SSL_set_session(self.ssl, self.ticket);
        SSL_SESSION_free(std::exchange(self.ticket, nullptr));
    }
    SSL_set_connect_state(self.ssl);
}

bool tls_peer_client::handshake() {
    if (state_->failed) {
        return false;
    }
    ERR_clear_error();
    const int returned = SSL_do_handshake(state_->ssl);
    if (returned != 1) {
        state_->note(returned);
    }
    return returned == 1;
}

bool tls_peer_client::failed() const {
    return state_->failed;
}

std::string tls_peer_client::failure() const {
    const char* reason = ERR_reason_error_string(state_->code);
    return reason != nullptr ? reason : "";
}

std::string tls_peer_client::read() {
    std::string out;
    std::array<char, 16'384> piece{};
    while (!state_->failed && !state_->closed) {
        std::size_t got = 0;
        ERR_clear_error();
        const int returned = SSL_read_ex(state_->ssl, piece.data(), piece.size(), &got);
        if (returned != 1) {
            state_->note(returned);
            break;
        }
        out.append(piece.data(), got);
    }
    return out;
}

bool tls_peer_client::saw_close() const {
    return state_->closed;
}

std::size_t tls_peer_client::write(std::string_view bytes) {
    std::size_t written = 0;
    ERR_clear_error();
    const int returned = SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &written);
    if (returned != 1) {
        state_->note(returned);
    }
    return written;
}

void tls_peer_client::send_close() {
    ERR_clear_error();
    SSL_shutdown(state_->ssl);
}

void tls_peer_client::unsettle() {
    if (SSL_version(state_->ssl) == TLS1_3_VERSION) {
        SSL_key_update(state_->ssl, SSL_KEY_UPDATE_REQUESTED);
    } else {
        SSL_renegotiate(state_->ssl);
    }
    handshake();
}

bool tls_peer_client::resumed() const {
    return SSL_session_reused(state_->ssl) == 1;
}

bool tls_peer_client::has_ticket() const {
    state_->keep_ticket();
    return state_->ticket != nullptr;
}

std::string tls_peer_client::alpn() const {
    const unsigned char* begin = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(state_->ssl, &begin, &size);
    return {reinterpret_cast<const char*>(begin), size};
}

std::string tls_peer_client::version() const {
    return SSL_get_version(state_->ssl);
}

std::string tls_peer_client::certificate_name() const {
    std::string out;
    auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
        SSL_get0_peer_certificate(state_->ssl), NID_subject_alt_name, nullptr, nullptr));
    if (sk_GENERAL_NAME_num(names) > 0) {
        int type = 0;
        const auto* value = static_cast<const ASN1_STRING*>(
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type));
        out.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                   static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
    GENERAL_NAMES_free(names);
    return out;
}

std::string tls_peer_client::certificate_key() const {
    const X509* certificate = SSL_get0_peer_certificate(state_->ssl);
    return EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate));
}

const std::vector<std::size_t>& tls_peer_client::record_sizes() const {
    return state_->records;
}

tls_outcome shake_hands(tls_session& ours, tls_peer_client& theirs) {
    tls_outcome out{tls_status::want_read, {}, 0};
    bool their_done = false;
    for (int step = 0; step < 20; ++step) {
        their_done = their_done || theirs.handshake();
        if (out.status != tls_status::done && out.status != tls_status::failed) {
            out = ours.handshake();
        }
        if (their_done && out.status == tls_status::done) {
            break;
        }
    }
    if (out.status == tls_status::done) {
        theirs.read(); // tickets come behind the handshake
    }
    return out;
}

tls_outcome shake_hands(tls_session& ours, tls_session& theirs) {
    tls_outcome out{tls_status::want_read, {}, 0};
    tls_outcome other = out;
    for (int step = 0; step < 20; ++step) {
        for (auto* each : {&other, &out}) {
            if (each->status != tls_status::done && each->status != tls_status::failed) {
                *each = (each == &out ? ours : theirs).handshake();
            }
        }
    }
    return out;
}

} // namespace relais::test
