#include "gateway/channel/channel_state.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

using boost::asio::ip::tcp;

namespace relais::gateway {
namespace {

bool would_wait(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

ssize_t receive_from(int descriptor, std::span<char> into, int flags) {
    ssize_t count = 0;
    do {
        count = ::recv(descriptor, into.data(), into.size(), MSG_DONTWAIT | flags);
    } while (count < 0 && errno == EINTR);
    return count;
}

} // namespace

channel::channel(edge_loop& loop, user& whose) : state_(std::make_unique<state>(loop, whose)) {}

channel::channel(edge_loop& loop, int descriptor, user& whose) : channel(loop, whose) {
    state_->adopt(descriptor);
}

channel::channel(channel&& other, user& whose) : state_(std::move(other.state_)) {
    assert(!state_->reading);
    state_->user = &whose;
}

channel::~channel() = default;

/// Takes the descriptor in any case; when the system does not want to watch it, it is closed.
bool channel::state::adopt(int given) {
    descriptor = given;
    if (!watch.begin(given)) {
        cut();
        return false;
    }
    return true;
}

void channel::state::cut() {
    watch.end();
    reading = waiting_for_room = connecting = shaking_hands = false;
    if (descriptor >= 0) {
        ::close(std::exchange(descriptor, -1));
    }
}

void channel::state::on_readable() {
    if (failed_at_once != 0) {
        user->on_connected({std::exchange(failed_at_once, 0), boost::system::system_category()});
    } else if (shaking_hands) {
        go_on_with_handshake();
    } else if (!reading) {
        return;
    } else if (secure) {
        read_secure();
    } else if (room.empty()) {
        reading = false;
        user->on_bytes(0);
    } else {
        read_plain();
    }
}

void channel::state::read_plain() {
    const auto count = receive_from(descriptor, room, 0);
    if (count < 0 && would_wait(errno) && !cancelled) {
        watch.note_drained();
        watch.want_read();
        return;
    }
    reading = cancelled = false;
    if (count <= 0) {
        user->on_end(count == 0);
        return;
    }
    const auto bytes = static_cast<std::size_t>(count);
    if (bytes < room.size()) {
        watch.note_drained();
    }
    user->on_bytes(bytes);
}

void channel::state::on_writable() {
    if (connecting) {
        finish_connect();
    } else if (shaking_hands) {
        go_on_with_handshake();
    } else if (std::exchange(read_waits_for_room, false)) {
        if (waiting_for_room) {
            watch.want_write(); // comes again
        }
        read_secure();
    } else if (std::exchange(waiting_for_room, false)) {
        if (ending) {
            end_secure();
        } else {
            user->on_room(); // an error shows at the next write
        }
    }
}

void channel::state::wait_for_room() {
    waiting_for_room = true;
    watch.note_full();
    watch.want_write();
}

void channel::connect(const tcp::endpoint& where, make_session security) {
    auto& own = *state_;
    own.make_secure = std::move(security);
    const int made =
        ::socket(where.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    bool fine = made >= 0;
    if (fine) {
        own.descriptor = made;
        ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fine = ::connect(made, where.data(), static_cast<socklen_t>(where.size())) == 0 ||
               errno == EINPROGRESS;
    }
    // Not before: a socket that nobody connects yet counts as one that was hung up.
    fine = fine && own.watch.begin(made);
    if (fine) {
        own.connecting = true;
        own.watch.want_write();
    } else {
        own.failed_at_once = errno;
        own.watch.want_read_anyway();
    }
}

void channel::state::finish_connect() {
    connecting = false;
    int failed = 0;
    socklen_t size = sizeof failed;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) {
        failed = errno;
    }
    if (failed == 0 && make_secure) {
        secure.emplace(make_secure(descriptor));
        shaking_hands = true;
        go_on_with_handshake();
        return;
    }
    user->on_connected({failed, boost::system::system_category()});
}

void channel::read(std::span<char> room) {
    assert(!state_->reading && !room.empty());
    state_->reading = true;
    state_->room = room;
    if (!is_open()) {
        state_->watch.want_read_anyway(); // to be told so
    } else if (state_->secure) {
        state_->start_reading_secure();
    } else {
        state_->watch.want_read();
    }
}

void channel::await_bytes() {
    assert(!state_->reading && !state_->secure);
    state_->reading = true;
    state_->room = {};
    state_->watch.want_read();
}

long channel::receive(std::span<char> into, bool leave) {
    const auto count = receive_from(state_->descriptor, into, leave ? MSG_PEEK : 0);
    if (count < 0 && would_wait(errno)) {
        state_->watch.note_drained();
        return 0;
    }
    return count > 0 ? count : -1;
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
    std::array<iovec, pieces_max> parts; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t used = 0;
    for (const auto piece : pieces) {
        if (!piece.empty()) {
            assert(used < pieces_max);
            // The kernel only reads them.
            parts[used++] = {const_cast<char*>(piece.data()), piece.size()};
        }
    }
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    ssize_t count = 0;
    do {
        count = used == 1 ? ::send(descriptor, parts[0].iov_base, parts[0].iov_len, flags)
                          : ::sendmsg(descriptor, &message, flags);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && !would_wait(errno)) {
        return {0, true};
    }
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    if (taken < whole && !waiting_for_room) {
        wait_for_room();
    }
    return {taken, false};
}

bool channel::is_quiet() const {
    if (state_->secure && state_->secure->has_pending()) {
        return false;
    }
    char byte = 0;
    return receive_from(state_->descriptor, {&byte, 1}, MSG_PEEK) < 0 && would_wait(errno);
}

void channel::cancel_read() {
    if (state_->reading) {
        state_->cancelled = true;
        state_->watch.want_read_anyway();
    }
}

void channel::shut_down_writing() {
    if (state_->secure) {
        state_->end_secure();
    } else {
        state_->shut_down_socket();
    }
}

void channel::state::shut_down_socket() const {
    ::shutdown(descriptor, SHUT_WR);
}

void channel::close() {
    if (state_->secure && is_open() && !state_->waiting_for_room) {
        state_->secure->shutdown(); // nothing is left to say: so it is said
    }
    cut();
}

void channel::cut() {
    state_->cut();
}

bool channel::is_open() const {
    return state_->descriptor >= 0;
}

} // namespace relais::gateway
