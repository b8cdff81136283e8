#include "support/socket_pair.hpp"

#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace relais::test {

socket_pair::socket_pair() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets_) != 0) {
        throw std::runtime_error("no sockets");
    }
}

socket_pair::~socket_pair() {
    close(sockets_[0]);
    close(sockets_[1]);
}

int socket_pair::ours() const {
    return sockets_[0];
}

int socket_pair::theirs() const {
    return sockets_[1];
}

void socket_pair::end_theirs() const {
    ::shutdown(sockets_[1], SHUT_WR);
}

void socket_pair::say(std::string_view bytes) const {
    if (send(sockets_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size())) {
        throw std::runtime_error("the socket does not take it");
    }
}

std::string socket_pair::heard() const {
    std::string out(65'536, '\0');
    const auto count = recv(sockets_[1], out.data(), out.size(), 0);
    out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return out;
}

void socket_pair::shrink() const {
    const int bytes = 4'608; // the kernel's least
    setsockopt(sockets_[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

} // namespace relais::test
