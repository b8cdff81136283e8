#include "gateway/channel/channel_state.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace relais::gateway {

void channel::state::start_reading(std::span<char> where) {
    reading = true;
    socket.async_read_some(
        asio::buffer(where.data(), where.size()),
        asio::bind_allocator(
            operation_allocator<void>(read_memory),
            [this](const error_code& failed, std::size_t count) { read_ended(failed, count); }));
}

void channel::state::await_bytes() {
    reading = true;
    socket.async_wait(
        tcp::socket::wait_read,
        asio::bind_allocator(operation_allocator<void>(read_memory),
                             [this](const error_code& failed) { read_ended(failed, 0); }));
}

void channel::state::read_ended(const error_code& failed, std::size_t count) {
    reading = false;
    if (closed) {
        release_if_done();
    } else if (failed) {
        user->on_end(failed == asio::error::eof);
    } else {
        user->on_bytes(count);
    }
}

void channel::state::wait_for_room() {
    waiting_for_room = true;
    socket.async_wait(tcp::socket::wait_write,
                      asio::bind_allocator(operation_allocator<void>(write_memory),
                                           [this](const error_code&) { room_came(); }));
}

void channel::state::room_came() {
    waiting_for_room = false;
    if (closed) {
        release_if_done();
    } else if (ending) {
        end_secure();
    } else {
        user->on_room(); // an error shows at the next write
    }
}

channel::channel(asio::io_context& loop, user& whose) : channel(tcp::socket(loop), whose) {}

channel::channel(tcp::socket socket, user& whose) : state_(new state(std::move(socket), whose)) {}

channel::channel(channel&& other, user& whose) : state_(std::exchange(other.state_, nullptr)) {
    assert(!state_->reading);
    state_->user = &whose;
}

channel::~channel() {
    if (state_ == nullptr) {
        return;
    }
    cut();
    state_->owned = false;
    state_->release_if_done();
}

void channel::connect(const tcp::endpoint& where, make_session security) {
    auto* own = state_;
    own->connecting = true;
    error_code failed;
    own->socket.open(where.protocol(), failed);
    if (!failed) {
        own->socket.set_option(tcp::no_delay(true), failed);
    }
    const auto ended = [own, make = std::move(security)](const error_code& outcome) {
        own->connecting = false;
        if (own->closed) {
            own->release_if_done();
        } else if (!outcome && make) {
            own->secure.emplace(make(own->socket.native_handle()));
            own->go_on_with_handshake(outcome);
        } else {
            own->user->on_connected(outcome);
        }
    };
    if (failed) {
        asio::post(own->socket.get_executor(), [ended, failed] { ended(failed); });
        return;
    }
    own->socket.async_connect(
        where, asio::bind_allocator(operation_allocator<void>(own->write_memory), ended));
}

void channel::read(std::span<char> room) {
    assert(!state_->reading && !room.empty());
    if (state_->secure) {
        state_->start_reading_secure(room);
    } else {
        state_->start_reading(room);
    }
}

void channel::await_bytes() {
    assert(!state_->reading && !state_->secure);
    state_->await_bytes();
}

long channel::receive(std::span<char> into, bool leave) {
    const int flags = MSG_DONTWAIT | (leave ? MSG_PEEK : 0);
    ssize_t count = 0;
    do {
        count = ::recv(state_->socket.native_handle(), into.data(), into.size(), flags);
    } while (count < 0 && errno == EINTR);
    const bool nothing_yet = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return count > 0 ? count : (nothing_yet ? 0 : -1);
}

bool channel::reading() const {
    return state_->reading;
}

channel::written channel::write(std::span<const std::string_view> pieces) {
    std::size_t whole = 0;
    for (const auto piece : pieces) {
        whole += piece.size();
    }
    if (whole == 0) {
        return {};
    }
    return state_->secure ? state_->write_secure(pieces, whole)
                          : state_->write_plain(pieces, whole);
}

channel::written channel::state::write_plain(std::span<const std::string_view> pieces,
                                             std::size_t whole) {
    std::array<iovec, pieces_max> parts{};
    std::size_t used = 0;
    for (const auto piece : pieces) {
        if (!piece.empty()) {
            assert(used < pieces_max);
            // The kernel only reads them.
            parts[used++] = {const_cast<char*>(piece.data()), piece.size()};
        }
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    ssize_t count = 0;
    do {
        count = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        return {0, true};
    }
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    if (taken < whole && !waiting_for_room) {
        wait_for_room();
    }
    return {taken, false};
}

bool channel::is_quiet() const {
    char byte = 0;
    if (state_->secure && state_->secure->has_pending()) {
        return false;
    }
    const auto count = ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void channel::cancel_read() {
    error_code ignored;
    state_->socket.cancel(ignored);
}

void channel::shut_down_writing() {
    if (state_->secure) {
        state_->end_secure();
    } else {
        state_->shut_down_socket();
    }
}

void channel::state::shut_down_socket() {
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void channel::close() {
    if (state_->secure && !state_->closed && !state_->waiting_for_room) {
        state_->secure->shutdown(); // nothing is left to say: so it is said
    }
    cut();
}

void channel::cut() {
    error_code ignored;
    state_->closed = true;
    state_->secure.reset(); // it may not outlive whoever made it, as the rest may
    state_->socket.close(ignored);
}

bool channel::is_open() const {
    return state_->socket.is_open();
}

} // namespace relais::gateway
