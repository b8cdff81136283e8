#pragma once

#include "gateway/channel/channel.hpp"
#include "gateway/channel/operation_memory.hpp"

#include <optional>

namespace relais::gateway {

/// What a channel holds; outlives it while the kernel may still complete something. Inside this
/// folder only.
struct channel::state {
    state(boost::asio::ip::tcp::socket given, channel::user& whose)
        : socket(std::move(given)), user(&whose) {}

    bool idle() const {
        return !reading && !waiting_for_room && !connecting;
    }

    void release_if_done() {
        if (!owned && idle()) {
            delete this;
        }
    }

    void start_reading(std::span<char> room);
    void await_bytes();
    void read_ended(const boost::system::error_code& failed, std::size_t count);
    void wait_for_room();
    void room_came();
    channel::written write_plain(std::span<const std::string_view> pieces, std::size_t whole);
    void shut_down_socket();

    // Through TLS: channel_tls.cpp.
    void start_reading_secure(std::span<char> where);
    void wait_secure(bool for_writing);
    void read_secure(const boost::system::error_code& failed);
    void go_on_with_handshake(const boost::system::error_code& failed);
    void wait_for_handshake(bool for_writing);
    channel::written write_secure(std::span<const std::string_view> pieces, std::size_t whole);
    void end_secure();

    boost::asio::ip::tcp::socket socket;
    channel::user* user;
    std::optional<tls_session> secure;
    tls_outcome handshake; ///< how it ended
    std::span<char> room;  ///< of a read through TLS
    bool owned = true;     ///< by a channel
    bool closed = false;   ///< nobody is told anything any more
    bool reading = false;
    bool waiting_for_room = false;
    bool connecting = false;
    bool held = false;   ///< a byte was encrypted that the user was told to give again
    bool ending = false; ///< close_notify is to be sent as soon as there is room
    operation_memory read_memory;
    operation_memory write_memory;
};

} // namespace relais::gateway
