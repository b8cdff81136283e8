#pragma once

#include "postgres/connection_string.hpp"
#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace relais::outbox {

/// Why the server refused; without SQLSTATE the connection itself failed.
struct refusal {
    std::string sqlstate;
    std::string message;

    error as_error() const;
};

template <class T>
using link_result = std::expected<T, refusal>;

/// An answer in text form.
using text_rows = std::vector<std::vector<std::optional<std::string>>>;

/// One libpq connection on the loop, without a thread of its own: for SQL, or (keyword replication
/// = database) for the replication protocol. Queries wait for their turn; after a failure without
/// SQLSTATE it is done for. Waits can be cancelled; then it is done for, too.
class server_link {
public:
    static boost::asio::awaitable<link_result<std::unique_ptr<server_link>>>
    open(boost::asio::io_context& loop, pg::keywords how, std::chrono::milliseconds at_most);
    ~server_link();
    server_link(const server_link&) = delete;
    server_link& operator=(const server_link&) = delete;

    /// One statement (or a command of the replication protocol, which takes no parameters).
    boost::asio::awaitable<link_result<text_rows>>
    query(std::string sql, std::vector<std::optional<std::string>> parameters,
          std::chrono::milliseconds at_most);

    /// Sends START_REPLICATION and enters copy-both mode.
    boost::asio::awaitable<link_result<void>> start_streaming(std::string command,
                                                              std::chrono::milliseconds at_most);

    /// The next message of the stream that has come; nullopt: there is none.
    link_result<std::optional<std::string>> take_message();

    /// Waits until the server has sent something of the stream.
    boost::asio::awaitable<void> wait_for_input();

    /// Queues a message to the server and sends what the socket takes. While wait_for_input()
    /// waits, too.
    link_result<void> send_message(const std::string& bytes);

private:
    struct impl;
    explicit server_link(std::unique_ptr<impl> inner);
    std::unique_ptr<impl> impl_;
};

} // namespace relais::outbox
