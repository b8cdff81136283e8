#include "support/raw_server.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace relais::test {
namespace {

/// The length of the first whole request in the buffer, or 0.
std::size_t whole_request(const std::string& buffer) {
    const auto head = buffer.find("\r\n\r\n");
    if (head == std::string::npos) {
        return 0;
    }
    std::size_t length = 0;
    const auto field = buffer.find("Content-Length:");
    if (field != std::string::npos && field < head) {
        const auto digits = buffer.find_first_not_of(' ', field + 15);
        std::from_chars(buffer.data() + digits, buffer.data() + head, length);
    }
    const auto size = head + 4 + length;
    return buffer.size() >= size ? size : 0;
}

void write_all(int connection, const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto count =
            ::send(connection, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (count <= 0) {
            return;
        }
        done += static_cast<std::size_t>(count);
    }
}

/// A byte every 20 ms until the other side closes.
void drip(int connection, const std::string& bytes, const std::atomic<bool>& stopping) {
    for (std::size_t i = 0; !stopping; ++i) {
        if (::send(connection, &bytes[i % bytes.size()], 1, MSG_NOSIGNAL) <= 0) {
            return;
        }
        pollfd closed{connection, POLLRDHUP, 0};
        if (::poll(&closed, 1, 20) > 0) {
            return;
        }
    }
}

} // namespace

raw_server::raw_server(std::function<step(int)> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, raw, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, raw, &size) != 0) {
        throw std::runtime_error("no listening socket");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

raw_server::~raw_server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (const int open = open_; open >= 0) {
        ::shutdown(open, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
}

std::string raw_server::url() const {
    return fmt::format("http://127.0.0.1:{}", port_);
}

std::vector<std::string> raw_server::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void raw_server::run() {
    while (!stopping_) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) {
            continue;
        }
        ++connections_;
        open_ = connection;
        if (!stopping_) {
            serve(connection);
        }
        open_ = -1;
        ::close(connection);
    }
}

void raw_server::serve(int connection) {
    std::string buffer;
    while (true) {
        std::size_t size = whole_request(buffer);
        while (size == 0) {
            char bytes[4096];
            const auto count = ::recv(connection, bytes, sizeof(bytes), 0);
            if (count <= 0) {
                return;
            }
            buffer.append(bytes, static_cast<std::size_t>(count));
            size = whole_request(buffer);
        }
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(buffer.substr(0, size));
        }
        buffer.erase(0, size);
        const auto next = script_(++count_);
        if (next.drip) {
            drip(connection, next.answer, stopping_);
            return;
        }
        write_all(connection, next.answer);
        if (next.reset) {
            const linger at_once{1, 0};
            ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        }
        if (next.close || next.reset) {
            return;
        }
    }
}

} // namespace relais::test
