#pragma once

#include "gateway/channel/channel.hpp"
#include "gateway/loop/edge_loop.hpp"

#include <optional>

namespace relais::gateway {

/// What a channel holds. Inside this folder only. Its user may destroy it whenever it is called, so
/// calling is the last thing that each of these does.
struct channel::state {
    state(edge_loop& loop, channel::user& whose)
        : watch(loop.sockets(), *this, reactor::calls<&state::on_readable, &state::on_writable>{}),
          user(&whose) {}

    ~state() {
        cut();
    }

    state(const state&) = delete;
    state& operator=(const state&) = delete;

    bool adopt(int given);
    void cut();

    void on_readable();
    void on_writable();

    void read_plain();
    void finish_connect();
    void wait_for_room();
    channel::written write_plain(std::span<const std::string_view> pieces, std::size_t whole);
    void shut_down_socket() const;

    // Through TLS: channel_tls.cpp.
    void start_reading_secure();
    void read_secure();
    void go_on_with_handshake();
    channel::written write_secure(std::span<const std::string_view> pieces, std::size_t whole);
    void end_secure();

    reactor::watch watch;
    int descriptor = -1;
    channel::user* user;
    std::optional<tls_session> secure;
    make_session make_secure; ///< once it is connected
    tls_outcome handshake;    ///< how it ended
    std::span<char> room;     ///< of a read; without any: only waits
    int failed_at_once = 0;   ///< connecting; told later
    bool reading = false;
    bool cancelled = false; ///< the read ends with what is there
    bool waiting_for_room = false;
    bool connecting = false;
    bool shaking_hands = false;
    bool read_waits_for_room = false; ///< through TLS, which answers a change of keys
    bool held = false;                ///< a byte was encrypted that the user was told to give again
    bool ending = false;              ///< close_notify is to be sent as soon as there is room
};

} // namespace relais::gateway
