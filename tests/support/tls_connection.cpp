#include "support/tls_connection.hpp"

#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace relais::test {
namespace {

constexpr int patience_ms = 10'000;

} // namespace

tls_connection::tls_connection(tls_peer_client& client, std::uint16_t port,
                               const std::string& server_name, std::string_view before)
    : client_(client), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(socket_);
        throw std::runtime_error("no connection to port " + std::to_string(port));
    }
    // As clients do: a request behind the handshake's last message would wait for its receipt.
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::send(socket_, before.data(), before.size(), MSG_NOSIGNAL);
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    client_.connect(socket_, server_name);
    while (!secured_ && !client_.failed()) {
        secured_ = client_.handshake();
        if (!secured_ && !client_.failed() && !wait(POLLIN)) {
            break;
        }
    }
}

tls_connection::~tls_connection() {
    ::close(socket_);
}

bool tls_connection::wait(short what) const {
    pollfd waited{socket_, what, 0};
    return ::poll(&waited, 1, patience_ms) > 0;
}

bool tls_connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto taken = client_.write(bytes.substr(0, std::size_t{16} * 1024));
        bytes.remove_prefix(taken);
        if (client_.failed() || (taken == 0 && !wait(POLLOUT))) {
            return false;
        }
    }
    return true;
}

bool tls_connection::read_some() {
    while (true) {
        const auto piece = client_.read();
        buffer_ += piece;
        if (!piece.empty()) {
            return true;
        }
        if (client_.failed() || client_.saw_close() || !wait(POLLIN)) {
            return false;
        }
    }
}

std::string tls_connection::read_answer(bool head_only) {
    std::size_t size = 0;
    while ((size = whole_answer(buffer_, head_only)) == 0) {
        if (!read_some()) {
            return {};
        }
    }
    auto answer = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
}

std::string tls_connection::read_bytes(std::size_t count) {
    while (buffer_.size() < count && read_some()) {}
    return std::exchange(buffer_, std::string());
}

std::string tls_connection::read_all() {
    while (read_some()) {}
    return std::exchange(buffer_, std::string());
}

bool tls_connection::closed_in_order() {
    while (read_some()) {}
    return client_.saw_close();
}

} // namespace relais::test
