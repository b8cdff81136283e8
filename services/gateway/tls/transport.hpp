#pragma once

#include "gateway/tls/openssl_handles.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace relais::gateway {

/// The socket as OpenSSL sees it. OpenSSL's own socket BIO would make one system call for each
/// record and raise SIGPIPE; this one can collect the records of one write() and sends them
/// together. Inside this folder only.
class transport {
public:
    explicit transport(int descriptor) : descriptor_(descriptor) {}

    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    /// A BIO that reads and writes this transport, which stays where it is for as long.
    bio_handle make_bio();

    /// From here to release() records are collected in `space`, and never refused: what does not
    /// fit is sent or kept.
    void collect(std::span<unsigned char> space);
    std::size_t room() const;
    /// Sends what was collected behind what was kept; what the socket does not take is kept. False:
    /// the socket is full or broken, see error().
    bool send_collected();
    /// Ends collecting; what was collected and not sent is forgotten.
    void release();

    /// Sends what was kept. False: some is left, or the socket is broken.
    bool flush();
    bool has_unsent() const;

    /// For the first look at what a client says. 0: nothing yet, `-1`: an error or the end.
    long peek(std::span<char> into);

    /// errno of the operation that broke the connection; 0: none did.
    int error() const;
    /// Whether the peer ended its direction.
    bool ended() const;

private:
    friend struct transport_bio;

    /// How much the socket took: 0 when it is full or broken.
    std::size_t send_some(std::span<const unsigned char> bytes);
    void keep(std::span<const unsigned char> bytes);
    void take(std::span<const unsigned char> bytes);

    int descriptor_;
    int error_ = 0;
    bool ended_ = false;
    std::span<unsigned char> space_;
    std::size_t collected_ = 0;
    std::vector<unsigned char> unsent_;
    std::size_t unsent_begin_ = 0;
};

} // namespace relais::gateway
