#include "support/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace relais::test {

loopback_server::loopback_server(serving serve, turns how) : serve_(std::move(serve)), how_(how) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, raw, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, raw, &size) != 0) {
        throw std::runtime_error("no listening socket");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { run(); });
}

loopback_server::~loopback_server() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const int each : open_) {
            ::shutdown(each, SHUT_RDWR);
        }
    }
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (auto& each : threads_) {
        each.join();
    }
    ::close(listener_);
}

void loopback_server::run() {
    while (!stopping_) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) {
            continue;
        }
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) {
                ::close(connection);
                return;
            }
            open_.push_back(connection);
            if (how_ == turns::at_once) {
                threads_.emplace_back([this, connection] { serve_and_close(connection); });
                continue;
            }
        }
        serve_and_close(connection);
    }
}

/// Its number may be somebody else's once it is closed, so the end must not know it any more.
void loopback_server::serve_and_close(int connection) {
    serve_(connection);
    const std::lock_guard lock(mutex_);
    std::erase(open_, connection);
    ::close(connection);
}

bool write_all(int connection, const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto count =
            ::send(connection, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        done += static_cast<std::size_t>(count);
    }
    return true;
}

} // namespace relais::test
