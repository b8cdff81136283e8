#include "gateway/channel/channel_state.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <fcntl.h>
#include <utility>

// The way through TLS. The session reads and writes the socket itself; here is waited for it.
namespace relais::gateway {

using boost::system::error_code;

void channel::state::start_reading_secure() {
    if (secure->has_pending()) {
        watch.want_read_anyway(); // no event tells of what was read from the socket already
    } else {
        watch.want_read();
    }
}

void channel::state::read_secure() {
    const auto outcome = secure->read(room);
    switch (outcome.status) {
    case tls_status::done:
        reading = cancelled = false;
        user->on_bytes(outcome.bytes);
        break;
    case tls_status::want_read:
    case tls_status::want_write:
        if (std::exchange(cancelled, false)) {
            reading = false;
            user->on_end(false);
        } else if (outcome.status == tls_status::want_read) {
            watch.note_drained();
            watch.want_read();
        } else {
            read_waits_for_room = true;
            watch.note_full();
            watch.want_write();
        }
        break;
    case tls_status::closed:
    case tls_status::failed:
        reading = cancelled = false;
        user->on_end(outcome.status == tls_status::closed);
        break;
    }
}

void channel::state::go_on_with_handshake() {
    handshake = secure->handshake();
    switch (handshake.status) {
    case tls_status::done:
        shaking_hands = false;
        user->on_connected(error_code());
        break;
    case tls_status::want_read:
        watch.note_drained();
        watch.want_read();
        break;
    case tls_status::want_write:
        watch.note_full();
        watch.want_write();
        break;
    case tls_status::closed:
    case tls_status::failed:
        shaking_hands = false;
        user->on_connected(
            boost::system::errc::make_error_code(boost::system::errc::protocol_error));
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
    auto& own = *state_;
    ::fcntl(own.descriptor, F_SETFL, ::fcntl(own.descriptor, F_GETFL) | O_NONBLOCK);
    own.secure.emplace(security(own.descriptor));
    own.shaking_hands = true;
    own.watch.want_read();
}

const tls_session* channel::session() const {
    return state_->secure ? &*state_->secure : nullptr;
}

tls_outcome channel::handshake() const {
    return state_->handshake;
}

void channel::give_up_security() {
    assert(!state_->shaking_hands);
    state_->secure.reset();
}

} // namespace relais::gateway
