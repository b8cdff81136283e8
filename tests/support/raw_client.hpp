#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relais::test {

/// The length of the answer at the beginning of the buffer, or 0 when it is not whole.
std::size_t whole_answer(const std::string& buffer, bool head_only);

/// A blocking TCP client of bare bytes, for what well-behaved clients never send. Every wait ends
/// after ten seconds at the latest.
class raw_client {
public:
    explicit raw_client(std::uint16_t port);
    ~raw_client();
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;

    /// False when the other side does not take it all.
    bool send(std::string_view bytes);

    /// No more from us; reading goes on.
    void finish_sending();

    /// Closes with a TCP reset.
    void reset();

    /// Until the other side closes.
    std::string read_all();

    /// One whole answer (head, and a body of Content-Length or chunked, undecoded). `head_only`: of
    /// a HEAD request. Empty when the connection ended before it was whole.
    std::string read_answer(bool head_only = false);

    /// What has come, at least a byte of it. Empty when the other side closed.
    std::string read_part();

    /// Whether the other side has closed (waits for that).
    bool closed_by_peer();

private:
    bool read_some();

    int socket_ = -1;
    std::string buffer_;
};

} // namespace relais::test
