#pragma once

#include "support/h2_frames.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace relais::test::h2 {

/// What came back for a request.
struct answer {
    int status = 0;
    std::map<std::string, std::string> fields;
    std::vector<int> interim; ///< statuses of 1xx
    std::string body;
    std::size_t body_bytes = 0;
    bool whole = false;           ///< the server ended the stream
    bool closed = false;          ///< both sides did, or one reset it
    std::uint32_t reset_code = 0; ///< when it is closed
};

/// A well-behaved HTTP/2 client (nghttp2) on a connected socket. Nothing happens but in run().
class client {
public:
    struct settings {
        bool keep_bodies = true;
        bool open_windows = true; ///< false: bodies stop when the first window is used up
        std::uint32_t stream_window = 65'535;
        std::chrono::seconds patience{10};
    };

    explicit client(int socket) : client(socket, settings{}) {}

    client(int socket, settings how);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// The stream's id. A body of so many bytes 'x' follows, when there is room; `ends`: then the
    /// stream ends.
    std::int32_t send(const field_list& fields, std::size_t body_bytes = 0, bool ends = true);
    void reset(std::int32_t stream);

    /// Sends and receives until the condition holds; false: it took too long, or the
    /// connection ended.
    bool run(const std::function<bool()>& until);
    /// The answer to a request, once it is closed.
    const answer& wait(std::int32_t stream);

    answer& at(std::int32_t stream);

    /// Bytes of the request's body that were sent.
    std::size_t sent_of(std::int32_t stream) const;

    bool got_goaway() const;
    std::int32_t goaway_last() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::test::h2
