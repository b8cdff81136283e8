#pragma once

#include "config/reader.hpp"

#include <cstdint>
#include <memory>

namespace relais::test {

/// A TCP proxy between the code under test and a server, for outages on demand. Runs on a thread of
/// its own. Every call returns when its effect is there.
class tcp_gate {
public:
    explicit tcp_gate(const config::endpoint& server);
    ~tcp_gate();
    tcp_gate(const tcp_gate&) = delete;
    tcp_gate& operator=(const tcp_gate&) = delete;

    /// On 127.0.0.1; stays the same.
    std::uint16_t port() const;

    /// Connections are reset, new ones refused: the server's process died.
    void close();
    void open();

    /// Connections stay, and new ones are accepted, but no byte passes: the server hangs.
    void freeze();
    void thaw();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::test
