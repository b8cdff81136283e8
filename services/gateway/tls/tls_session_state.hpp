#pragma once

#include "gateway/tls/tls_outcome.hpp"
#include "gateway/tls/transport.hpp"

#include <chrono>
#include <string>

namespace relais {
class clock;
}

namespace relais::gateway {

enum class tls_role : std::uint8_t { server, client };

/// What a tls_session holds. Inside this folder only.
struct tls_session_state {
    tls_session_state(tls_role which, int descriptor, const relais::clock& clock)
        : role(which), socket(descriptor), time(clock) {}

    tls_session_state(const tls_session_state&) = delete;
    tls_session_state& operator=(const tls_session_state&) = delete;
    ~tls_session_state();

    tls_role role;
    bool first_bytes_seen = false;
    bool established = false;
    bool peer_closed = false;
    bool close_sent = false;
    tls_failure failure = tls_failure::none;
    unsigned long failure_code = 0; ///< OpenSSL's packed code

    transport socket; ///< before `ssl`, which writes to it to its end
    const relais::clock& time;
    std::chrono::steady_clock::time_point written_last;
    std::size_t written_at_once = 0; ///< since the last silence

    std::string target; ///< client: under which name its tickets are kept
    ssl_handle ssl;
};

/// `ssl` comes from the caller's context; a handle that holds nothing makes a session that fails.
/// Sets the roles, the transport and the back pointer (SSL_get_app_data).
void attach(tls_session_state& state, ssl_handle ssl);

/// Why the last operation failed, read from OpenSSL's error queue, which is empty afterwards.
tls_failure classify_failure(tls_session_state& state);

} // namespace relais::gateway
