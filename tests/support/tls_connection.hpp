#pragma once

#include "support/tls_peer.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace relais::test {

/// One connection of a TLS client to a port of this machine. Waits where raw_client would, for ten
/// seconds at most.
class tls_connection {
public:
    /// `before` goes ahead of the handshake: a PROXY header. The client outlives this.
    tls_connection(tls_peer_client& client, std::uint16_t port, const std::string& server_name = "",
                   std::string_view before = {});
    ~tls_connection();
    tls_connection(const tls_connection&) = delete;
    tls_connection& operator=(const tls_connection&) = delete;

    /// Whether the handshake succeeded; it is over when the constructor returns.
    bool secured() const {
        return secured_;
    }

    bool send(std::string_view bytes);
    std::string read_answer(bool head_only = false);
    /// Until so many bytes came, or the end.
    std::string read_bytes(std::size_t count);
    std::string read_all();
    /// Whether the other side ended, in order.
    bool closed_in_order();

private:
    bool wait(short what) const;
    bool read_some();

    tls_peer_client& client_;
    int socket_ = -1;
    bool secured_ = false;
    std::string buffer_;
};

} // namespace relais::test
