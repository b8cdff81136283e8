#pragma once

#include "support/loopback_server.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace relais::test {

/// A service whose answers a test writes as bytes, from the request's bytes; any number of
/// connections at a time, each on a thread. /readyz is answered 200 and not counted. Requests have
/// no bodies.
class answering_server {
public:
    /// Sends a part of an answer; false: the client left.
    using send = std::function<bool(const std::string& bytes)>;
    using script = std::function<void(const std::string& request, const send& out)>;

    explicit answering_server(script answer);

    std::uint16_t port() const {
        return server_.port();
    }

    int requests() const {
        return requests_;
    }

private:
    void serve(int connection);

    script answer_;
    std::atomic<int> requests_{0};
    loopback_server server_; ///< last: it serves from here on
};

/// A whole answer with these fields ("Name: value\r\n") and body.
std::string answer_text(const std::string& fields, const std::string& body,
                        const std::string& status = "200 OK");

/// The value of the first field of this name (spelled so) in an answer's text; empty: there is
/// none.
std::string field_of(const std::string& answer, const std::string& name);

/// The body of an answer as raw_client gives it: chunks put together.
std::string body_of(const std::string& answer);

} // namespace relais::test
