#include "gateway/proxy/stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {

struct stream::state : std::enable_shared_from_this<state> {
    tcp::socket socket;
    asio::steady_timer timer;
    byte_buffer received;
    std::uint64_t operation = 0;
    bool timed_out = false;

    explicit state(tcp::socket given) : socket(std::move(given)), timer(socket.get_executor()) {}

    void arm(time_point until) {
        timed_out = false;
        timer.expires_at(until);
        timer.async_wait(
            [self = shared_from_this(), own = ++operation](const boost::system::error_code& ec) {
                if (!ec && own == self->operation) {
                    self->timed_out = true;
                    boost::system::error_code ignored;
                    self->socket.cancel(ignored);
                }
            });
    }

    result<void> finish(const boost::system::error_code& failed) {
        ++operation;
        timer.cancel();
        if (!failed) {
            return {};
        }
        if (timed_out) {
            return fail(error_kind::timeout, "stream-timeout");
        }
        return fail(error_kind::unavailable, "stream-closed", failed.message());
    }
};

stream::stream(tcp::socket socket) : state_(std::make_shared<state>(std::move(socket))) {
    boost::system::error_code ignored;
    state_->socket.set_option(tcp::no_delay(true), ignored);
}

stream::stream(stream&&) noexcept = default;
stream& stream::operator=(stream&&) noexcept = default;

stream::~stream() {
    if (state_) {
        state_->timer.cancel();
        close();
    }
}

byte_buffer& stream::received() {
    return state_->received;
}

asio::awaitable<result<void>> stream::read_more(time_point until) {
    const auto own = state_;
    const auto room = own->received.room();
    own->arm(until);
    boost::system::error_code failed;
    const std::size_t count = co_await own->socket.async_read_some(
        asio::buffer(room.data(), room.size()), asio::redirect_error(asio::use_awaitable, failed));
    own->received.added(count);
    co_return own->finish(failed);
}

asio::awaitable<result<void>> stream::write(std::string_view bytes, time_point until) {
    return write(bytes, {}, {}, until);
}

asio::awaitable<result<void>> stream::write(std::string_view first, std::string_view second,
                                            std::string_view third, time_point until) {
    const auto own = state_;
    const std::array<asio::const_buffer, 3> pieces{asio::buffer(first.data(), first.size()),
                                                   asio::buffer(second.data(), second.size()),
                                                   asio::buffer(third.data(), third.size())};
    own->arm(until);
    boost::system::error_code failed;
    co_await asio::async_write(own->socket, pieces,
                               asio::redirect_error(asio::use_awaitable, failed));
    co_return own->finish(failed);
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

void stream::close() {
    boost::system::error_code ignored;
    state_->socket.close(ignored);
}

asio::awaitable<result<stream>> connect(asio::io_context& loop, tcp::endpoint where,
                                        std::chrono::milliseconds at_most) {
    auto socket = std::make_shared<tcp::socket>(loop); // shared with the timer's handler
    asio::steady_timer timer(loop, at_most);
    const auto expired = std::make_shared<bool>(false);
    timer.async_wait([socket, expired](const boost::system::error_code& ec) {
        if (!ec) {
            *expired = true;
            boost::system::error_code ignored;
            socket->cancel(ignored);
        }
    });
    boost::system::error_code failed;
    co_await socket->async_connect(where, asio::redirect_error(asio::use_awaitable, failed));
    timer.cancel();
    if (*expired) {
        co_return fail(error_kind::timeout, "connect-timeout");
    }
    if (failed) {
        co_return fail(error_kind::unavailable, "connect-failed", failed.message());
    }
    co_return stream(std::move(*socket));
}

} // namespace relais::gateway
