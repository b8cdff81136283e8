#include "postgres/liveness.hpp"

#include <array>
#include <cstdint>
#include <poll.h>
#include <unistd.h>

namespace relais::pg::detail {
namespace {

using steady = std::chrono::steady_clock;

/// The message's length (8) and the number of the request (80877103), most significant byte first;
/// PostgreSQL documentation, "Message Formats", SSLRequest.
constexpr std::array<std::uint8_t, 8> ssl_request{0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};

struct descriptor {
    int number;

    explicit descriptor(int opened) : number(opened) {}

    ~descriptor() {
        if (number >= 0) {
            ::close(number);
        }
    }

    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
};

bool wait_for(const descriptor& socket, short event, steady::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now());
    pollfd waited{socket.number, event, 0};
    return left.count() > 0 && ::poll(&waited, 1, static_cast<int>(left.count())) == 1;
}

} // namespace

std::optional<peer> peer_of(int socket) {
    peer out;
    out.size = sizeof out.address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&out.address), &out.size) != 0) {
        return std::nullopt;
    }
    return out;
}

bool answers(const peer& server, std::chrono::milliseconds at_most) {
    const auto until = steady::now() + at_most;
    const descriptor socket(
        ::socket(server.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.number < 0) {
        return true; // we are out of descriptors, which says nothing about the server
    }
    // Not connected at once, or not at all: the write below knows.
    [[maybe_unused]] const int at_once =
        ::connect(socket.number, reinterpret_cast<const sockaddr*>(&server.address), server.size);
    if (!wait_for(socket, POLLOUT, until)) {
        return false;
    }
    if (::send(socket.number, ssl_request.data(), ssl_request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(ssl_request.size())) {
        return false;
    }
    std::uint8_t answer = 0;
    return wait_for(socket, POLLIN, until) && ::recv(socket.number, &answer, 1, 0) == 1;
}

} // namespace relais::pg::detail
