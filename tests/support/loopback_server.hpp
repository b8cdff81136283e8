#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace relais::test {

/// Accepts connections on a free port of 127.0.0.1 and has them served, until it is destroyed:
/// then serving functions see the end of their connections, and are waited for.
class loopback_server {
public:
    /// Blocks while it reads and writes; the connection is closed when it returns.
    using serving = std::function<void(int connection)>;
    enum class turns : std::uint8_t {
        at_once,   ///< each connection on a thread of its own
        one_by_one ///< the next one when the one before is over
    };

    explicit loopback_server(serving serve, turns how = turns::at_once);
    ~loopback_server();
    loopback_server(const loopback_server&) = delete;
    loopback_server& operator=(const loopback_server&) = delete;

    std::uint16_t port() const {
        return port_;
    }

    bool stopping() const {
        return stopping_;
    }

private:
    void run();
    void serve_and_close(int connection);

    serving serve_;
    turns how_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_; // the threads and the end use these
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread accepting_; ///< last: it uses all of it
};

/// False: the other side is gone.
bool write_all(int connection, const std::string& bytes);

} // namespace relais::test
