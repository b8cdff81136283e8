#include "host/takeover_socket.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace relais::host {
namespace {

constexpr std::size_t descriptors_max = 250; // SCM_MAX_FD is 253
constexpr std::size_t text_max = 32'768;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    return address;
}

std::unexpected<error> failed(const std::string& path) {
    return fail(error_kind::unavailable, "takeover-socket",
                fmt::format("{}: {}", path, std::strerror(errno)));
}

} // namespace

result<int> listen_at(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) {
        return failed(path);
    }
    // Bound beside it and moved there: at no moment is nobody at the path, nor somebody else's
    // file.
    const auto beside = fmt::format("{}.{}", path, ::getpid());
    const auto address = address_of(beside);
    ::unlink(beside.c_str());
    const auto mask = ::umask(0177);
    const bool bound =
        ::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ::umask(mask);
    constexpr int waiting_max = 4;
    if (!bound || ::listen(made, waiting_max) != 0 ||
        std::rename(beside.c_str(), path.c_str()) != 0) {
        auto why = failed(path);
        ::close(made);
        ::unlink(beside.c_str());
        return why;
    }
    return made;
}

result<int> connect_to(const std::string& path) {
    const int made = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (made < 0) {
        return failed(path);
    }
    const auto address = address_of(path);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        return made;
    }
    auto why = failed(path);
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    ::close(made);
    if (nobody) {
        return -1;
    }
    return why;
}

void limit_waiting(int descriptor, std::chrono::seconds at_most) {
    const timeval limit{at_most.count(), 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool send_message(int to, std::string_view text, const std::vector<int>& descriptors) {
    if (descriptors.size() > descriptors_max || text.size() > text_max) {
        return false;
    }
    iovec bytes{const_cast<char*>(text.data()), text.size()};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
        std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return ::sendmsg(to, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

socket_message receive_message(int from) {
    socket_message out;
    out.text.resize(text_max);
    iovec bytes{out.text.data(), out.text.size()};
    std::vector<char> control(CMSG_SPACE(descriptors_max * sizeof(int)));
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    out.text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    for (cmsghdr* part = count > 0 ? CMSG_FIRSTHDR(&message) : nullptr; part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const auto before = out.descriptors.size();
        out.descriptors.resize(before + (part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(std::span(out.descriptors).subspan(before).data(), CMSG_DATA(part),
                    part->cmsg_len - CMSG_LEN(0));
    }
    return out;
}

bool is_own_user(int connection) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == ::geteuid();
}

} // namespace relais::host
