#pragma once

#include "gateway/limits/concurrency_table.hpp"
#include "result/result.hpp"

#include <cstddef>
#include <utility>

namespace relais::gateway {

/// What is spoken on a client's connection from its first byte.
enum class client_wire { http1, http2 };

/// A client's connection, whatever version of HTTP it speaks, as its owner sees it. Says that it is
/// over by client_owner::on_closed().
class client_connection {
public:
    client_connection() = default;
    virtual ~client_connection() = default;
    client_connection(const client_connection&) = delete;
    client_connection& operator=(const client_connection&) = delete;

    virtual void start() = 0;

    /// Instead of start(): the connection itself is refused.
    virtual void start_refused(const error& why) = 0;

    /// From now on answers end the connection, as far as its protocol allows to say so.
    virtual void announce_drain() = 0;

    /// Ends it if it waits for another request. One whose request has arrived is served, and a new
    /// connection has a moment to send its first.
    virtual void close_idle() = 0;

    /// Kept as long as the connection.
    void hold(concurrency_permit permit) {
        permit_ = std::move(permit);
    }

    std::size_t place = 0; ///< among the owner's clients; the owner's business

    /// For whoever takes the connection over.
    concurrency_permit release() {
        return std::move(permit_);
    }

private:
    concurrency_permit permit_;
};

} // namespace relais::gateway
