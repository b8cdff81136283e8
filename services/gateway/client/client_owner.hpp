#pragma once

#include "gateway/client/client_side.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace relais::gateway {

class client_connection;

struct client_limits {
    std::chrono::milliseconds idle{75'000};         ///< between requests on a connection
    std::chrono::milliseconds head{10'000};         ///< for a whole head, from its first byte
    std::chrono::milliseconds body_idle{30'000};    ///< between two pieces of a body
    std::uint64_t body_bytes_per_second_min = 1024; ///< averaged over the body, after body_idle
    std::chrono::milliseconds answer_idle{60'000};  ///< for a client to take more of an answer
    std::chrono::milliseconds tunnel_idle{600'000}; ///< in a tunnel, from the client
    std::chrono::milliseconds first_while_draining{1'000}; ///< for a connection's first request
};

/// When the next piece of a body must be there: neither silence nor a trickle holds what waits for
/// it.
inline std::chrono::steady_clock::time_point
body_deadline(const client_limits& limits, std::chrono::steady_clock::time_point began,
              std::uint64_t bytes_seen) {
    const auto silence = std::chrono::steady_clock::now() + limits.body_idle;
    if (limits.body_bytes_per_second_min == 0) {
        return silence;
    }
    const std::chrono::milliseconds earned(bytes_seen * 1000 / limits.body_bytes_per_second_min);
    return std::min(silence, began + limits.body_idle + earned);
}

/// Whoever serves the requests of clients.
class client_owner {
public:
    /// Who serves the next request of this client.
    virtual request_user& new_exchange(client_side& client) = 0;
    /// The connection is over; destroys it when nothing on the stack uses it any more.
    virtual void on_closed(client_connection& which) = 0;
    virtual const client_limits& patience() const = 0;

protected:
    ~client_owner() = default;
};

} // namespace relais::gateway
