#pragma once

#include <chrono>
#include <optional>
#include <sys/socket.h>

namespace relais::pg::detail {

/// Where a connected socket leads.
struct peer {
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// nullopt when the socket is not connected any more.
std::optional<peer> peer_of(int socket);

/// Whether a server's process works at all, whatever its sessions do: it is asked on a new
/// connection whether it speaks TLS (SSLRequest), which it answers before anything else, also when
/// it has no room for another session. False when no answer comes within `at_most`.
bool answers(const peer& server, std::chrono::milliseconds at_most);

} // namespace relais::pg::detail
