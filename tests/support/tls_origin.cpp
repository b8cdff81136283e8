#include "support/tls_origin.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <csignal>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace relais::test {

struct tls_origin::state {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    int listening = -1;
    std::uint16_t port = 0;
    std::atomic<int> connections{0};
    std::mutex mutex;
    std::vector<int> sockets;
    std::vector<std::thread> servants;
    std::thread accepting;

    void accept_all() {
        int socket = -1;
        while ((socket = ::accept(listening, nullptr, nullptr)) >= 0) {
            const std::lock_guard guard(mutex);
            sockets.push_back(socket);
            servants.emplace_back([this, socket] { serve(socket); });
        }
    }

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
        ::shutdown(socket, SHUT_RDWR);
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
    state_->listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (::bind(state_->listening, where, size) != 0 || ::listen(state_->listening, 16) != 0 ||
        ::getsockname(state_->listening, where, &size) != 0) {
        throw std::runtime_error("no port");
    }
    state_->port = ntohs(address.sin_port);
    state_->accepting = std::thread([this] { state_->accept_all(); });
}

tls_origin::~tls_origin() {
    ::shutdown(state_->listening, SHUT_RDWR);
    state_->accepting.join();
    for (const int each : state_->sockets) {
        ::shutdown(each, SHUT_RDWR);
    }
    for (auto& each : state_->servants) {
        each.join();
    }
    for (const int each : state_->sockets) {
        ::close(each);
    }
    ::close(state_->listening);
    SSL_CTX_free(state_->context);
}

std::uint16_t tls_origin::port() const {
    return state_->port;
}

int tls_origin::connections() const {
    return state_->connections;
}

} // namespace relais::test
