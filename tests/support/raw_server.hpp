#pragma once

#include "support/loopback_server.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace relais::test {

/// A server of bare sockets that does exactly what a test scripts, wrong things too. Every whole
/// HTTP request (head and Content-Length) is counted and kept, then the script decides what happens
/// to the connection. Runs on a thread of its own; one connection at a time.
class raw_server {
public:
    /// What to do after a request.
    struct step {
        std::string answer; ///< bytes to write; may be empty
        bool close = false; ///< close the connection then
        bool reset = false; ///< close it with a TCP reset
        bool drip = false;  ///< write the answer byte by byte until the client goes away
    };

    /// script(number of the request, from 1).
    explicit raw_server(std::function<step(int)> script);

    std::uint16_t port() const {
        return server_.port();
    }

    std::string url() const;

    int requests() const {
        return count_;
    }

    int connections() const {
        return connections_;
    }

    /// The requests as they came, head and body.
    std::vector<std::string> seen() const;

private:
    void serve(int connection);

    std::function<step(int)> script_;
    std::atomic<int> count_{0};
    std::atomic<int> connections_{0};
    mutable std::mutex mutex_; // the server's thread writes, the test reads
    std::vector<std::string> seen_;
    loopback_server server_; ///< last: it serves from here on
};

} // namespace relais::test
