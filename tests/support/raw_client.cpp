#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace relais::test {
std::size_t whole_answer(const std::string& buffer, bool head_only) {
    const auto end = buffer.find("\r\n\r\n");
    if (end == std::string::npos) {
        return 0;
    }
    std::string head = buffer.substr(0, end + 4);
    for (char& c : head) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    if (head_only || head.starts_with("http/1.1 1")) {
        return head.size();
    }
    if (head.find("transfer-encoding: chunked") != std::string::npos) {
        const auto last = buffer.find("\r\n0\r\n\r\n", end + 2);
        return last == std::string::npos ? 0 : last + 7;
    }
    std::size_t length = 0;
    if (const auto field = head.find("content-length: "); field != std::string::npos) {
        std::from_chars(head.data() + field + 16, head.data() + head.size(), length);
    }
    return buffer.size() >= head.size() + length ? head.size() + length : 0;
}

raw_client::raw_client(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        ::close(socket_);
        throw std::runtime_error("no connection to port " + std::to_string(port));
    }
}

raw_client::~raw_client() {
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

bool raw_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void raw_client::finish_sending() {
    ::shutdown(socket_, SHUT_WR);
}

void raw_client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    ::close(socket_);
    socket_ = -1;
}

bool raw_client::read_some() {
    char bytes[16384];
    const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (count <= 0) {
        return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
}

std::string raw_client::read_all() {
    while (read_some()) {}
    return std::exchange(buffer_, std::string());
}

std::string raw_client::read_part() {
    if (buffer_.empty()) {
        read_some();
    }
    return std::exchange(buffer_, std::string());
}

std::string raw_client::read_answer(bool head_only) {
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

bool raw_client::closed_by_peer() {
    while (read_some()) {}
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET || errno == ENOTCONN;
}

} // namespace relais::test
