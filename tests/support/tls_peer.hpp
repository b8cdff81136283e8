#pragma once

#include "gateway/tls/tls_session.hpp"
#include "support/socket_pair.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relais::test {

struct peer_settings {
    std::string server_name;
    std::string ca_file; ///< empty: takes any certificate
    std::string chain_file;
    std::string key_file;
    std::string ciphers; ///< of TLS 1.2
    std::vector<std::string> alpn;
    int version_min = 0; ///< 0x0303 is TLS 1.2
    int version_max = 0;
    bool small_fragments = false; ///< asks for records of 512 bytes at most
};

/// A client made of OpenSSL alone, which says what a client sees of our server.
class tls_peer_client {
public:
    explicit tls_peer_client(const peer_settings& settings);
    ~tls_peer_client();
    tls_peer_client(const tls_peer_client&) = delete;
    tls_peer_client& operator=(const tls_peer_client&) = delete;

    /// Over another connection; what was learnt (tickets) stays.
    void connect(int socket, const std::string& server_name = "");
    /// Whether it is done; false: not yet, or failed().
    bool handshake();
    bool failed() const;
    /// "sslv3 alert handshake failure"
    std::string failure() const;

    /// What is there now.
    std::string read();
    /// Whether read() met close_notify.
    bool saw_close() const;
    /// How many bytes were taken.
    std::size_t write(std::string_view bytes);
    void send_close();
    /// TLS 1.2: asks for another handshake; TLS 1.3: changes the keys.
    void unsettle();

    bool resumed() const;
    /// Whether a ticket came that was not used yet.
    bool has_ticket() const;
    std::string alpn() const;
    std::string version() const;
    /// The first DNS name of the certificate, and its key: "EC" or "RSA".
    std::string certificate_name() const;
    std::string certificate_key() const;
    /// The sizes of the records that came since connect(), headers not counted.
    const std::vector<std::size_t>& record_sizes() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Steps both sides until they are done or one failed. Ours is what our side said last.
gateway::tls_outcome shake_hands(gateway::tls_session& ours, tls_peer_client& theirs);
gateway::tls_outcome shake_hands(gateway::tls_session& ours, gateway::tls_session& theirs);

} // namespace relais::test
