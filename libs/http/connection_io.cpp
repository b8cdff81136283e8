#include "clock/rfc3339.hpp"
#include "http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <sstream>

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace relais::http {
namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = std::size_t{8} * 1024;
constexpr std::size_t linger_bytes_max = std::size_t{256} * 1024;
constexpr std::chrono::milliseconds linger_time{1'000};

using message = beast::http::response<beast::http::string_body>;

message head_of(const response& answer, const request& about, bool keep_alive) {
    message out;
    out.version(11);
    out.result(static_cast<unsigned>(answer.status));
    for (const auto& [name, value] : answer.headers.all()) {
        out.insert(name, value);
    }
    out.set(beast::http::field::date, to_http_date(system_clock().now()));
    out.set("x-request-id", about.request_id);
    out.keep_alive(keep_alive);
    return out;
}

message to_beast(response answer, const request& about, bool keep_alive) {
    message out = head_of(answer, about, keep_alive);
    if (answer.status != 204 && answer.status != 304) {
        out.content_length(answer.body.size());
        if (about.method != "HEAD") {
            out.body() = std::move(answer.body);
        }
    }
    return out;
}

} // namespace

connection::connection(server_context& shared, asio::ip::tcp::socket socket)
    : shared_(shared), socket_(std::move(socket)),
      buffer_(shared.settings.header_max_bytes + read_bytes), deadline_(shared.deadlines, [this] {
          error_code ignored;
          socket_.cancel(ignored);
      }) {
    error_code failed;
    const auto peer = socket_.remote_endpoint(failed);
    peer_ = failed ? std::string() : peer.address().to_string();
    shared_.counted.connections.add(1);
}

connection::~connection() {
    shared_.counted.connections.add(-1);
}

std::string_view connection::buffered() const {
    const auto bytes = buffer_.data();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
}

/// Error: "request-timeout" when the deadline passed; otherwise the client is gone, and broken_ is
/// set.
asio::awaitable<result<void>> connection::read_more() {
    const auto space = std::min(read_bytes, buffer_.max_size() - buffer_.size());
    const auto target = buffer_.prepare(space);
    const auto [failed, count] = co_await socket_.async_read_some(target, use_tuple);
    buffer_.commit(count);
    if (!failed) {
        co_return result<void>();
    }
    if (deadline_.expired()) {
        co_return fail(error_kind::invalid, "request-timeout", "the request took too long");
    }
    broken_ = true;
    co_return fail(error_kind::unavailable, "client-gone");
}

asio::awaitable<void> connection::say_continue() {
    constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto bytes = asio::buffer(text);
    const auto [failed, count] = co_await asio::async_write(socket_, bytes, use_tuple);
    broken_ = broken_ || failed;
}

asio::awaitable<void> connection::write(response answer, const request& about) {
    if (answer.more && about.method != "HEAD") {
        auto writing = write_pieces(std::move(answer), about);
        co_await std::move(writing);
        co_return;
    }
    keep_alive_ = keep_alive_ && !shared_.answers_close;
    message out = to_beast(std::move(answer), about, keep_alive_);
    deadline_.set_after(shared_.settings.body_timeout);
    const auto [failed, count] = co_await beast::http::async_write(socket_, out, use_tuple);
    deadline_.clear();
    broken_ = broken_ || failed;
}

/// A body without a length: its end is the connection's.
asio::awaitable<void> connection::write_pieces(response answer, const request& about) {
    keep_alive_ = false;
    const message head = head_of(answer, about, keep_alive_);
    std::ostringstream text;
    text << head.base();
    std::string piece = std::move(text).str() + answer.body;
    while (!broken_ && !piece.empty()) {
        deadline_.set_after(shared_.settings.body_timeout);
        const auto bytes = asio::buffer(piece);
        const auto [failed, count] = co_await asio::async_write(socket_, bytes, use_tuple);
        deadline_.clear();
        broken_ = broken_ || failed;
        if (!broken_) {
            auto waiting = answer.more();
            piece = co_await std::move(waiting);
        }
    }
}

/// Closing a socket with unread bytes resets the connection, and the client may lose the answer
/// that is still on its way (RFC 9112 §9.6). So: no more from us, then read a little until the
/// client ends.
asio::awaitable<void> connection::linger() {
    error_code failed;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failed);
    deadline_.set_after(linger_time);
    for (std::size_t drained = 0; !failed && drained < linger_bytes_max;) {
        buffer_.clear();
        const auto target = buffer_.prepare(read_bytes);
        const auto [stopped, count] = co_await socket_.async_read_some(target, use_tuple);
        drained += count;
        failed = stopped;
    }
}

/// Cancels the read instead of closing: a read that has completed already, of which this coroutine
/// has not heard yet, then still brings its request, and that is answered.
void connection::close_if_idle() {
    if (first_) {
        deadline_.set_after(first_request_while_stopping); // it has only just connected
    }
    error_code ignored;
    if (idle_ && is_stopping_and_quiet()) {
        socket_.cancel(ignored);
    }
}

bool connection::is_stopping_and_quiet() const {
    error_code failed;
    return shared_.stopping && !first_ && buffer_.size() == 0 && socket_.available(failed) == 0;
}

void connection::abort() {
    error_code ignored;
    broken_ = true;
    socket_.close(ignored);
}

} // namespace relais::http
