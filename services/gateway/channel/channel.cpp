#include "gateway/channel/channel.hpp"

#include "gateway/channel/operation_memory.hpp"

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
namespace {

constexpr std::size_t pieces_max = 4;

} // namespace

struct channel::state {
    tcp::socket socket;
    channel::user* user;
    bool owned = true;   ///< by a channel
    bool closed = false; ///< nobody is told anything any more
    bool reading = false;
    bool waiting_for_room = false;
    bool connecting = false;
    operation_memory read_memory;
    operation_memory write_memory;

    state(tcp::socket given, channel::user& whose) : socket(std::move(given)), user(&whose) {}

    bool idle() const {
        return !reading && !waiting_for_room && !connecting;
    }

    void release_if_done() {
        if (!owned && idle()) {
            delete this;
        }
    }

    void start_reading(std::span<char> room) {
        reading = true;
        socket.async_read_some(
            asio::buffer(room.data(), room.size()),
            asio::bind_allocator(operation_allocator<void>(read_memory),
                                 [this](const error_code& failed, std::size_t count) {
                                     read_ended(failed, count);
                                 }));
    }

    void read_ended(const error_code& failed, std::size_t count) {
        reading = false;
        if (closed) {
            release_if_done();
        } else if (failed) {
            user->on_end(failed == asio::error::eof);
        } else {
            user->on_bytes(count);
        }
    }

    void wait_for_room() {
        waiting_for_room = true;
        socket.async_wait(tcp::socket::wait_write,
                          asio::bind_allocator(operation_allocator<void>(write_memory),
                                               [this](const error_code&) { room_came(); }));
    }

    void room_came() {
        waiting_for_room = false;
        if (closed) {
            release_if_done();
        } else {
            user->on_room(); // an error shows at the next write
        }
    }
};

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
    close();
    state_->owned = false;
    state_->release_if_done();
}

void channel::connect(const tcp::endpoint& where) {
    auto* own = state_;
    own->connecting = true;
    error_code failed;
    own->socket.open(where.protocol(), failed);
    if (!failed) {
        own->socket.set_option(tcp::no_delay(true), failed);
    }
    const auto ended = [own](const error_code& outcome) {
        own->connecting = false;
        if (own->closed) {
            own->release_if_done();
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
    state_->start_reading(room);
}

bool channel::reading() const {
    return state_->reading;
}

channel::written channel::write(std::span<const std::string_view> pieces) {
    std::array<iovec, pieces_max> parts{};
    std::size_t used = 0;
    std::size_t whole = 0;
    for (const auto piece : pieces) {
        if (!piece.empty()) {
            assert(used < pieces_max);
            // The kernel only reads them.
            parts[used++] = {const_cast<char*>(piece.data()), piece.size()};
            whole += piece.size();
        }
    }
    if (whole == 0) {
        return {};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    ssize_t count = 0;
    do {
        count = ::sendmsg(state_->socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        return {0, true};
    }
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    if (taken < whole && !state_->waiting_for_room) {
        state_->wait_for_room();
    }
    return {taken, false};
}

bool channel::is_quiet() const {
    char byte = 0;
    const auto count = ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void channel::cancel_read() {
    error_code ignored;
    state_->socket.cancel(ignored);
}

void channel::shut_down_writing() {
    error_code ignored;
    state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void channel::close() {
    error_code ignored;
    state_->closed = true;
    state_->socket.close(ignored);
}

bool channel::is_open() const {
    return state_->socket.is_open();
}

} // namespace relais::gateway
