#include "gateway/tls/tls_session.hpp"

#include "gateway/tls/first_bytes.hpp"
#include "gateway/tls/record_pieces.hpp"
#include "gateway/tls/server_name.hpp"
#include "gateway/tls/tls_session_state.hpp"

#include <array>
#include <cassert>

namespace relais::gateway {
namespace {

constexpr std::size_t record_max = std::size_t{16} * 1024;
/// With what TLS adds and the longest TCP options over IPv6, one Ethernet segment.
constexpr std::size_t small_record_max = 1'369;
constexpr std::size_t small_records_bytes = std::size_t{64} * 1024;
constexpr std::chrono::seconds silence{1};
/// What TLS adds to a record at most (RFC 5246 §6.2.3; TLS 1.3 adds less).
constexpr std::size_t record_overhead_max = 5 + 256;
/// Two full records at a time: half the system calls, and little enough for the stack.
constexpr std::size_t collected_max = 2 * (record_max + record_overhead_max);

tls_outcome failed(const tls_session_state& state) {
    return {tls_status::failed, state.failure, 0};
}

/// What an operation of OpenSSL that did not succeed wants.
tls_outcome unfinished(tls_session_state& state, int returned) {
    switch (SSL_get_error(state.ssl.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        return {tls_status::want_read, tls_failure::none, 0};
    case SSL_ERROR_WANT_WRITE:
        return {tls_status::want_write, tls_failure::none, 0};
    case SSL_ERROR_ZERO_RETURN:
        state.peer_closed = true;
        return {tls_status::closed, tls_failure::none, 0};
    default:
        state.failure = classify_failure(state);
        return failed(state);
    }
}

/// A client's first bytes, before OpenSSL takes them: `done` when they can be TLS.
tls_outcome look_at_first_bytes(tls_session_state& state) {
    std::array<char, 16> head{};
    const auto count = state.socket.peek(head);
    if (count == 0) {
        return {tls_status::want_read, tls_failure::none, 0};
    }
    if (count < 0) {
        if (state.socket.ended()) {
            return {tls_status::closed, tls_failure::none, 0};
        }
        state.failure = tls_failure::reset;
        return failed(state);
    }
    state.first_bytes_seen = true;
    state.failure = judge_first_bytes({head.data(), static_cast<std::size_t>(count)});
    return state.failure == tls_failure::none ? tls_outcome{} : failed(state);
}

/// Small at the beginning, so that a browser can act on the first segment (Grigorik, "High
/// Performance Browser Networking", "Optimize TLS Record Size").
std::size_t record_size(tls_session_state& state) {
    return state.written_at_once < small_records_bytes ? small_record_max : record_max;
}

void notice_silence(tls_session_state& state) {
    const auto now = state.time.steady_now();
    if (now - state.written_last > silence) {
        state.written_at_once = 0;
    }
    state.written_last = now;
}

/// One record, or several for a peer that asked for smaller ones (RFC 6066 §4). What OpenSSL
/// returned last; the transport takes everything.
int encrypt(tls_session_state& state, std::string_view record) {
    std::size_t written = 0;
    int returned = 1;
    while (returned == 1 && !record.empty()) {
        returned = SSL_write_ex(state.ssl.get(), record.data(), record.size(), &written);
        record.remove_prefix(returned == 1 ? written : 0);
    }
    return returned;
}

/// Encrypts and sends until the pieces end, the socket is full, or something fails.
tls_outcome write_records(tls_session_state& state, record_pieces& pieces) {
    // Neither is filled: that would cost more than most answers.
    std::array<unsigned char, collected_max> collected;
    std::array<char, record_max> joined;
    state.socket.collect(collected);
    std::size_t taken = 0;
    bool is_open = true;
    while (is_open && !pieces.empty()) {
        const auto record = pieces.next(record_size(state), joined);
        const int returned = encrypt(state, record);
        if (returned != 1) {
            state.socket.send_collected();
            state.socket.release();
            static_cast<void>(unfinished(state, returned));
            state.failure =
                state.failure == tls_failure::none ? tls_failure::internal : state.failure;
            return failed(state);
        }
        taken += record.size();
        state.written_at_once += record.size();
        if (pieces.empty() || state.socket.room() < record_size(state) + record_overhead_max) {
            is_open = state.socket.send_collected();
        }
    }
    state.socket.release();
    if (state.socket.error() != 0) {
        state.failure = tls_failure::reset;
        return failed(state);
    }
    return {is_open ? tls_status::done : tls_status::want_write, tls_failure::none, taken};
}

/// What an earlier write() left. `done` when nothing is left.
tls_outcome flush(tls_session_state& state) {
    if (state.socket.flush()) {
        return {};
    }
    if (state.socket.error() == 0) {
        return {tls_status::want_write, tls_failure::none, 0};
    }
    state.failure = tls_failure::reset;
    return failed(state);
}

} // namespace

tls_session::tls_session(std::unique_ptr<tls_session_state> state) : state_(std::move(state)) {}

tls_session::~tls_session() = default;
tls_session::tls_session(tls_session&&) noexcept = default;
tls_session& tls_session::operator=(tls_session&&) noexcept = default;

tls_outcome tls_session::handshake() {
    auto& state = *state_;
    if (state.failure != tls_failure::none) {
        return failed(state);
    }
    if (state.role == tls_role::server && !state.first_bytes_seen) {
        const auto seen = look_at_first_bytes(state);
        if (seen.status != tls_status::done) {
            return seen;
        }
    }
    ERR_clear_error();
    const int returned = SSL_do_handshake(state.ssl.get());
    if (returned != 1) {
        return unfinished(state, returned);
    }
    state.established = true;
    return {};
}

tls_outcome tls_session::read(std::span<char> into) {
    auto& state = *state_;
    if (state.failure != tls_failure::none) {
        return failed(state);
    }
    if (state.peer_closed) {
        return {tls_status::closed, tls_failure::none, 0};
    }
    assert(state.established && !into.empty());
    ERR_clear_error();
    tls_outcome out;
    do {
        std::size_t got = 0;
        const auto room = into.subspan(out.bytes);
        const int returned = SSL_read_ex(state.ssl.get(), room.data(), room.size(), &got);
        if (returned != 1) {
            // What went wrong behind bytes that are good is said by the next call.
            const auto end = unfinished(state, returned);
            return out.bytes > 0 ? out : end;
        }
        out.bytes += got;
    } while (out.bytes < into.size() && SSL_has_pending(state.ssl.get()) == 1);
    return out;
}

tls_outcome tls_session::write(std::span<const std::string_view> pieces) {
    auto& state = *state_;
    if (state.failure != tls_failure::none) {
        return failed(state);
    }
    assert(state.established && !state.close_sent);
    const auto flushed = flush(state);
    record_pieces rest(pieces);
    if (flushed.status != tls_status::done || rest.empty()) {
        return flushed;
    }
    ERR_clear_error();
    notice_silence(state);
    return write_records(state, rest);
}

tls_outcome tls_session::write(std::string_view bytes) {
    return write(std::span(&bytes, 1));
}

tls_outcome tls_session::shutdown() {
    auto& state = *state_;
    if (state.failure != tls_failure::none || !state.established) {
        return {};
    }
    const auto flushed = flush(state);
    if (flushed.status != tls_status::done) {
        return flushed;
    }
    if (state.close_sent) {
        return {};
    }
    ERR_clear_error();
    const int returned = SSL_shutdown(state.ssl.get());
    if (returned < 0) {
        return unfinished(state, returned);
    }
    state.close_sent = true;
    return {};
}

bool tls_session::has_pending() const {
    return state_->failure == tls_failure::none && SSL_has_pending(state_->ssl.get()) == 1;
}

bool tls_session::established() const {
    return state_->established;
}

tls_facts tls_session::facts() const {
    if (!state_->established) {
        return {};
    }
    const SSL* ssl = state_->ssl.get();
    const unsigned char* alpn = nullptr;
    unsigned alpn_size = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    tls_facts out;
    out.version = SSL_get_version(ssl);
    out.cipher = SSL_get_cipher_name(ssl);
    out.alpn = {reinterpret_cast<const char*>(alpn), alpn_size};
    out.server_name = name != nullptr && is_host_name(name) ? name : "";
    out.resumed = SSL_session_reused(ssl) == 1;
    return out;
}

} // namespace relais::gateway
