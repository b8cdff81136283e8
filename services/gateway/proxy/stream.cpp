#include "gateway/proxy/stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {

struct stream::state {
    tcp::socket socket;
    byte_buffer received;
    http::deadline_watch::entry deadline;

    state(tcp::socket given, http::deadline_watch& deadlines)
        : socket(std::move(given)), deadline(deadlines, [this] {
              boost::system::error_code ignored;
              socket.cancel(ignored);
          }) {}

    result<void> finish(const boost::system::error_code& failed) {
        if (!failed) {
            deadline.clear();
            return {};
        }
        if (deadline.expired()) {
            return fail(error_kind::timeout, "stream-timeout");
        }
        deadline.clear();
        return fail(error_kind::unavailable, "stream-closed", failed.message());
    }
};

stream::stream(tcp::socket socket, http::deadline_watch& deadlines)
    : state_(std::make_unique<state>(std::move(socket), deadlines)) {
    boost::system::error_code ignored;
    state_->socket.set_option(tcp::no_delay(true), ignored);
}

stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&&) noexcept = default;

stream::~stream() = default;

byte_buffer& stream::received() {
    return state_->received;
}

asio::awaitable<result<void>> stream::read_more(time_point until) {
    auto& own = *state_;
    const auto room = own.received.room();
    own.deadline.set(until);
    boost::system::error_code failed;
    const std::size_t count = co_await own.socket.async_read_some(
        asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, failed));
    own.received.added(count);
    co_return own.finish(failed);
}

asio::awaitable<result<void>> stream::write(std::string_view bytes, time_point until) {
    return write(bytes, {}, {}, until);
}

asio::awaitable<result<void>> stream::write(std::string_view first, std::string_view second,
                                            std::string_view third, time_point until) {
    auto& own = *state_;
    const std::array<asio::const_buffer, 3> pieces{asio::buffer(first.data(), first.size()),
                                                   asio::buffer(second.data(), second.size()),
                                                   asio::buffer(third.data(), third.size())};
    own.deadline.set(until);
    boost::system::error_code failed;
    co_await asio::async_write(own.socket, pieces,
                               asio::redirect_error(asio::use_awaitable, failed));
    co_return own.finish(failed);
}

bool stream::is_quiet() {
    char byte = 0;
    const auto count = ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool nothing_yet = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return nothing_yet && state_->received.empty();
}

asio::awaitable<void> stream::linger(std::size_t bytes_max, std::chrono::milliseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    boost::system::error_code ignored;
    state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
    std::size_t seen = 0;
    while (seen < bytes_max) {
        auto& buffer = state_->received;
        seen += buffer.unread().size();
        buffer.used(buffer.unread().size());
        const auto more = co_await read_more(until);
        if (!more) {
            co_return;
        }
    }
}

void stream::cancel() {
    boost::system::error_code ignored;
    state_->socket.cancel(ignored);
}

void stream::close() {
    boost::system::error_code ignored;
    state_->socket.close(ignored);
}

asio::awaitable<result<stream>> connect(http::deadline_watch& deadlines, asio::io_context& loop,
                                        tcp::endpoint where, std::chrono::milliseconds at_most) {
    tcp::socket socket(loop);
    boost::system::error_code failed;
    http::deadline_watch::entry deadline(deadlines, [&socket] {
        boost::system::error_code ignored;
        socket.cancel(ignored);
    });
    deadline.set_after(at_most);
    co_await socket.async_connect(where, asio::redirect_error(asio::use_awaitable, failed));
    if (failed && deadline.expired()) {
        co_return fail(error_kind::timeout, "connect-timeout");
    }
    if (failed) {
        co_return fail(error_kind::unavailable, "connect-failed", failed.message());
    }
    co_return stream(std::move(socket), deadlines);
}

} // namespace relais::gateway
