#pragma once

#include "http/client.hpp"
#include "http/deadlines.hpp"
#include "http/gate.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <optional>
#include <string>

// Internal: one connection of a client.
namespace relais::http {

/// Where a base URL points.
struct origin {
    bool encrypted = false;
    std::string host; ///< without port; an IPv6 address without brackets
    std::string port;
    std::string authority; ///< for the Host field
    std::string path;      ///< put before each target; mostly empty
};

/// Error: `invalid` / "invalid-url".
result<origin> parse_origin(std::string_view url);

/// Errors name no client here; client.cpp puts its name before: "unreachable", "timeout",
/// "bad-answer", "answer-too-large".
class client_connection {
public:
    client_connection(boost::asio::io_context& loop, deadline_watch& deadlines,
                      std::size_t body_max);

    /// Connects (and shakes hands) until the deadline.
    boost::asio::awaitable<result<void>> open(const origin& to, boost::asio::ssl::context& tls,
                                              deadline_watch::time_point until);

    /// Sends and waits for the whole answer.
    boost::asio::awaitable<result<response>> exchange(const client::call& what, const origin& to,
                                                      deadline_watch::time_point until);

    /// Whether an idle connection may carry another request: open, and the server said nothing.
    bool is_quiet();

    /// The last exchange left the connection in order, and the server keeps it.
    bool reusable() const {
        return reusable_;
    }

    /// Whether any byte of the last answer came.
    bool answer_began() const {
        return answer_began_;
    }

private:
    struct outcome {
        boost::system::error_code failed;
        std::size_t count = 0;
    };

    boost::asio::awaitable<outcome> write(const client::call& what, const origin& to);
    boost::asio::awaitable<result<void>> read_more();
    boost::asio::awaitable<result<std::size_t>> read_head(std::string_view method,
                                                          response_head& head);
    boost::asio::awaitable<result<void>> read_body(const response_head& head, std::string& body);
    boost::asio::awaitable<result<std::vector<boost::asio::ip::tcp::endpoint>>>
    addresses_of(const origin& to);
    std::string_view buffered() const;
    error broken(const boost::system::error_code& why) const;

    boost::asio::ip::tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
    boost::beast::flat_buffer buffer_;
    std::size_t body_max_;
    bool ended_ = false; ///< the server closed in order
    bool reusable_ = false;
    bool answer_began_ = false;
    deadline_watch::entry deadline_;
};

} // namespace relais::http
