#include "gateway/channel/channel_state.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cassert>

// The way through TLS. The session reads and writes the socket itself; here is waited for it.
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace relais::gateway {
namespace {

error_code broken() {
    return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
}

} // namespace

void channel::state::start_reading_secure(std::span<char> where) {
    room = where;
    if (!secure->has_pending()) {
        wait_secure(false);
        return;
    }
    reading = true;
    asio::post(socket.get_executor(), asio::bind_allocator(operation_allocator<void>(read_memory),
                                                           [this] { read_secure(error_code()); }));
}

/// Reading may have to wait for writing: TLS answers a change of keys.
void channel::state::wait_secure(bool for_writing) {
    reading = true;
    socket.async_wait(
        for_writing ? tcp::socket::wait_write : tcp::socket::wait_read,
        asio::bind_allocator(operation_allocator<void>(read_memory),
                             [this](const error_code& failed) { read_secure(failed); }));
}

void channel::state::read_secure(const error_code& failed) {
    reading = false;
    if (closed) {
        release_if_done();
        return;
    }
    if (failed) {
        user->on_end(false);
        return;
    }
    const auto outcome = secure->read(room);
    switch (outcome.status) {
    case tls_status::done:
        user->on_bytes(outcome.bytes);
        break;
    case tls_status::want_read:
    case tls_status::want_write:
        wait_secure(outcome.status == tls_status::want_write);
        break;
    case tls_status::closed:
    case tls_status::failed:
        user->on_end(outcome.status == tls_status::closed);
        break;
    }
}

void channel::state::wait_for_handshake(bool for_writing) {
    connecting = true;
    socket.async_wait(
        for_writing ? tcp::socket::wait_write : tcp::socket::wait_read,
        asio::bind_allocator(operation_allocator<void>(read_memory),
                             [this](const error_code& failed) { go_on_with_handshake(failed); }));
}

void channel::state::go_on_with_handshake(const error_code& failed) {
    connecting = false;
    if (closed) {
        release_if_done();
        return;
    }
    if (failed) {
        user->on_connected(failed);
        return;
    }
    handshake = secure->handshake();
    switch (handshake.status) {
    case tls_status::done:
        user->on_connected(error_code());
        break;
    case tls_status::want_read:
    case tls_status::want_write:
        wait_for_handshake(handshake.status == tls_status::want_write);
        break;
    case tls_status::closed:
    case tls_status::failed:
        user->on_connected(broken());
        break;
    }
}

/// The user may let go of what was taken, and may close, once it was told that all was: so as long
/// as the socket has not taken the last record, a byte of it is asked for again.
channel::written channel::state::write_secure(std::span<const std::string_view> pieces,
                                              std::size_t whole) {
    std::array<std::string_view, pieces_max> rest{};
    std::size_t used = 0;
    std::size_t again = held ? 1 : 0;
    for (const auto piece : pieces) {
        const auto part = piece.substr(std::min(again, piece.size()));
        again -= piece.size() - part.size();
        if (!part.empty()) {
            assert(used < pieces_max);
            rest[used++] = part;
        }
    }
    const auto outcome = secure->write(std::span<const std::string_view>(rest.data(), used));
    if (outcome.status != tls_status::done && outcome.status != tls_status::want_write) {
        return {0, true};
    }
    const auto taken = outcome.bytes + (held ? 1 : 0);
    if (outcome.status == tls_status::done) {
        held = false;
        return {taken, false};
    }
    held = taken == whole;
    if (!waiting_for_room) {
        wait_for_room();
    }
    return {held ? taken - 1 : taken, false};
}

/// As far as that goes without waiting, or else when there is room.
void channel::state::end_secure() {
    const auto outcome = secure->shutdown();
    ending = outcome.status == tls_status::want_write;
    if (!ending) {
        shut_down_socket();
    } else if (!waiting_for_room) {
        wait_for_room();
    }
}

void channel::secure(const make_session& security) {
    error_code ignored;
    state_->socket.native_non_blocking(true, ignored);
    state_->secure.emplace(security(state_->socket.native_handle()));
    state_->wait_for_handshake(false);
}

const tls_session* channel::session() const {
    return state_->secure ? &*state_->secure : nullptr;
}

tls_outcome channel::handshake() const {
    return state_->handshake;
}

void channel::give_up_security() {
    assert(state_->idle());
    state_->secure.reset();
}

} // namespace relais::gateway
