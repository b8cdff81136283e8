#include "http/listening_socket.hpp"

#include <array>
#include <cerrno>
#include <linux/filter.h>
#include <memory>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace relais::http {
namespace {

std::string text_of(int error) {
    return std::system_category().message(error);
}

using addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// Error: what the system says, as a text.
std::expected<int, std::string> bind_to(const config::endpoint& where) {
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed =
        ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
    if (failed != 0) {
        return std::unexpected(std::string(::gai_strerror(failed)));
    }
    const addresses first(found, &::freeaddrinfo);
    const int made =
        ::socket(first->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    const int on = 1;
    if (made >= 0 && ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 && // also what it accepts
        ::bind(made, first->ai_addr, first->ai_addrlen) == 0 && ::listen(made, SOMAXCONN) == 0) {
        return made;
    }
    const int error = errno;
    if (made >= 0) {
        ::close(made);
    }
    return std::unexpected(text_of(error));
}

boost::asio::ip::tcp::endpoint name_of(int descriptor) {
    boost::asio::ip::tcp::endpoint name;
    auto size = static_cast<socklen_t>(name.capacity());
    if (::getsockname(descriptor, name.data(), &size) == 0) {
        name.resize(size);
    }
    return name;
}

} // namespace

result<void> listening_socket::open(const config::endpoint& where) {
    if (is_open()) {
        return {};
    }
    std::expected<int, std::string> opened =
        sockets_ == nullptr ? -1 : sockets_->take(where.text());
    if (*opened < 0) {
        opened = bind_to(where);
    }
    if (!opened) {
        return fail(error_kind::unavailable, "listen-failed",
                    "cannot listen on " + where.text() + ": " + opened.error());
    }
    descriptor_ = *opened;
    local_ = name_of(descriptor_);
    if (sockets_ != nullptr) {
        sockets_->add_open(where.text(), descriptor_);
    }
    return {};
}

int accept_from(int listening, boost::asio::ip::tcp::endpoint& peer) {
    int descriptor = -1;
    do {
        auto size = static_cast<socklen_t>(peer.capacity());
        descriptor = ::accept4(listening, peer.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0) {
            peer.resize(size);
        }
    } while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
    return descriptor;
}

void listening_socket::stop_new() {
    constexpr unsigned flags_at = 13; // in the TCP header
    constexpr unsigned syn = 0x02;
    constexpr unsigned everything = 0xffff'ffff;
    std::array<sock_filter, 4> program{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_at),
                                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, 0), // is not heard
                                        BPF_STMT(BPF_RET | BPF_K, everything)}};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    // Where it fails, who connects in the last moment is reset, as without it.
    static_cast<void>(
        ::setsockopt(descriptor_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

void listening_socket::close() {
    if (!is_open()) {
        return;
    }
    if (sockets_ != nullptr) {
        sockets_->remove_open(descriptor_);
    }
    ::close(std::exchange(descriptor_, -1));
}

} // namespace relais::http
