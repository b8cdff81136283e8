#pragma once

#include "http/body_decoder.hpp"
#include "http/deadlines.hpp"
#include "http/dispatch.hpp"
#include "http/gate.hpp"
#include "http/server.hpp"
#include "http/server_metrics.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

// Internal: one connection of a client.
namespace relais::http {

/// What all connections of a server share. Outlives them.
struct server_context {
    server_settings settings;
    router routes;
    http::dispatcher dispatcher;
    server_metrics counted;
    log::logger logger;
    deadline_watch deadlines;
    bool answers_close = false; ///< drain began: no answer keeps its connection
    bool stopping = false;      ///< the listener is closed: nobody waits for another request
    std::size_t active = 0;     ///< requests in progress
};

/// A client that connects in the last moment before a stop has sent, or is about to send, a
/// request.
inline constexpr std::chrono::milliseconds first_request_while_stopping{1'000};

/// Reads requests, hands them to the dispatcher and writes the answers, in order.
class connection {
public:
    connection(server_context& shared, boost::asio::ip::tcp::socket socket);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Until the client or the server closes. Does not throw.
    boost::asio::awaitable<void> run();

    /// Closes it when it waits for a request of which no byte has come.
    void close_if_idle();

    /// Closes it whatever it does.
    void abort();

private:
    // What a request does to the connection.
    boost::asio::awaitable<result<bool>> read_head(); // false: the client has nothing more
    boost::asio::awaitable<void> answer_one();
    boost::asio::awaitable<result<void>> read_body(request& into, std::size_t at_most);
    boost::asio::awaitable<void> refuse(const error& why);
    void record(const request& about, int status, std::size_t bytes_out,
                std::chrono::steady_clock::time_point began);

    // Bytes (connection_io.cpp).
    boost::asio::awaitable<result<void>> read_more();
    boost::asio::awaitable<void> say_continue();
    boost::asio::awaitable<void> write(response answer, const request& about);
    boost::asio::awaitable<void> write_pieces(response answer, const request& about);
    boost::asio::awaitable<void> linger();
    bool is_stopping_and_quiet() const;
    std::string_view buffered() const;

    server_context& shared_;
    boost::asio::ip::tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
    deadline_watch::entry deadline_;
    std::string peer_;
    request_head head_;
    std::size_t head_bytes_ = 0;
    bool keep_alive_ = true;
    bool idle_ = true;
    bool first_ = true;   ///< no request came yet
    bool broken_ = false; ///< the client is gone: nothing more can be written
};

} // namespace relais::http
