#pragma once

#include <string>
#include <string_view>

namespace relais::test {

/// Two connected, non-blocking stream sockets; closed with this.
class socket_pair {
public:
    socket_pair();
    ~socket_pair();
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;

    int ours() const;
    int theirs() const;
    /// The peer ends its direction without any more ado.
    void end_theirs() const;
    /// The peer's bytes, without TLS.
    void say(std::string_view bytes) const;
    /// What we sent and the peer did not read yet.
    std::string heard() const;
    /// Makes the kernel keep little for our direction, so that writes fill it.
    void shrink() const;

private:
    int sockets_[2] = {-1, -1};
};

} // namespace relais::test
