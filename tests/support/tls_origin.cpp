#include "support/tls_origin.hpp"

#include "support/loopback_server.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <csignal>
#include <optional>
#include <stdexcept>

namespace relais::test {

struct tls_origin::state {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    std::atomic<int> connections{0};
    std::optional<loopback_server> server;

    void serve(int socket) {
        SSL* ssl = SSL_new(context);
        SSL_set_fd(ssl, socket);
        if (SSL_accept(ssl) == 1) {
            ++connections;
            std::string head;
            std::array<char, 4096> piece{};
            int count = 0;
            while ((count = SSL_read(ssl, piece.data(), static_cast<int>(piece.size()))) > 0) {
                head.append(piece.data(), static_cast<std::size_t>(count));
                if (head.ends_with("\r\n\r\n")) {
                    head.clear();
                    const auto text = answer(ssl);
                    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
                }
            }
        }
        SSL_free(ssl);
    }

    static std::string answer(const SSL* ssl) {
        std::string body = "client none";
        if (const X509* peer = SSL_get0_peer_certificate(ssl)) {
            std::array<char, 256> name{};
            X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name.data(),
                                      static_cast<int>(name.size()));
            body = std::string("client CN=") + name.data();
        }
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
               body;
    }
};

tls_origin::tls_origin(const certificate_pair& own, const std::string& client_ca)
    : state_(std::make_unique<state>()) {
    ::signal(SIGPIPE, SIG_IGN); // a client may be gone when it is written to
    SSL_CTX* const raw = state_->context;
    if (SSL_CTX_use_certificate_chain_file(raw, own.chain_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(raw, own.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw std::runtime_error("no certificate");
    }
    if (!client_ca.empty()) {
        SSL_CTX_load_verify_locations(raw, client_ca.c_str(), nullptr);
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        static constexpr std::array<unsigned char, 4> context{'t', 'e', 's', 't'};
        SSL_CTX_set_session_id_context(raw, context.data(), context.size());
    }
    state_->server.emplace([of = state_.get()](int socket) { of->serve(socket); });
}

tls_origin::~tls_origin() {
    state_->server.reset();
    SSL_CTX_free(state_->context);
}

std::uint16_t tls_origin::port() const {
    return state_->server->port();
}

int tls_origin::connections() const {
    return state_->connections;
}

} // namespace relais::test
