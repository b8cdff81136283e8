#pragma once

#include "http/gate.hpp"
#include "result/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// What became of bytes that were to be sent.
enum class sent {
    whole,   ///< all of them are with the kernel
    waiting, ///< the rest goes when there is room, and then its owner is told; the piece must stay
    broken,  ///< the connection is gone
};

/// An answer's head without what belongs to one hop: framing and Connection are written by whoever
/// sends it.
struct answer_head {
    int status = 0;
    std::string_view reason;
    std::vector<http::field_view> fields;
    bool has_body = false; ///< pieces follow
    /// Of the body that follows, or that would (HEAD, 304); unknown: until the last piece.
    std::optional<std::uint64_t> content_length;
};

struct door;

/// What is known of a client's connection.
struct client_info {
    boost::asio::ip::address peer;
    std::string address; ///< the same as text
    bool encrypted = false;
    bool misplaced = false;        ///< speaks without TLS where TLS is spoken
    std::string server_name{};     ///< that it asked for (SNI)
    const door* through = nullptr; ///< where it came in; outlives it
};

/// What a request's client tells the exchange that serves it.
class request_user {
public:
    /// The first call. The head's views are valid until the body is read, its method for ever.
    virtual void on_request(const http::request_head& head) = 0;
    /// Or this: bytes that are no request. The answer to them ends the connection.
    virtual void on_malformed(const error& why) = 0;
    /// The next piece, valid until read_body() is called again.
    virtual void on_request_body(std::string_view piece, bool last) = 0;
    /// The body cannot be had: errors as `invalid` / "malformed-request", `timeout` /
    /// "request-timeout", `unavailable` / "client-gone".
    virtual void on_request_body_failed(const error& why) = 0;
    /// After a send that had to wait.
    virtual void on_client_ready() = 0;
    virtual void on_client_gone() = 0;

protected:
    ~request_user() = default;
};

/// The client's side of one exchange: a request on an HTTP/1.1 connection, or a stream of HTTP/2.
class client_side {
public:
    virtual const client_info& info() const = 0;

    /// Asks for the next piece of the body. The views of the request's head end here.
    virtual void read_body() = 0;
    virtual bool body_finished() const = 0;

    /// An interim answer (1xx) on the way; nobody who speaks HTTP/1.0 gets one.
    virtual sent send_interim(const answer_head& head) = 0;
    /// Begins the answer; goes out with the first piece, or at flush(). The head and its views stay
    /// valid until then.
    virtual void send_head(const answer_head& head) = 0;
    /// Takes back a head of which nothing was sent yet: neither a piece nor flush() followed.
    virtual void take_back_head() = 0;
    /// Instead of send_head(), 101: from here on both directions are bytes of another protocol.
    virtual void send_switch(const answer_head& head) = 0;
    virtual sent send_body(std::string_view piece, bool last) = 0;
    virtual sent flush() = 0;

    /// The exchange is over, its answer sent whole.
    virtual void finish() = 0;
    /// The exchange is over, the answer broke off or there is nobody to send one to.
    virtual void abort() = 0;

protected:
    ~client_side() = default;
};

} // namespace relais::gateway
