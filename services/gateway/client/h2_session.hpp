#pragma once

#include "gateway/client/client_side.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace relais::gateway {

class h2_stream; // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final

/// Error codes of HTTP/2 (RFC 9113 §7), those that we send or look at.
enum class h2_error : std::uint32_t {
    none = 0x0,
    protocol = 0x1,
    internal = 0x2,
    settings_timeout = 0x4,
    stream_closed = 0x5,
    cancel = 0x8,
    enhance_your_calm = 0xb,
};

/// How much of an answer goes into the next DATA frame.
struct h2_offer {
    enum class what { data, nothing_yet, no_room };

    what kind = what::nothing_yet;
    std::size_t count = 0;
    bool last = false;
};

/// The frames of one connection, server side: nghttp2, whose types stay in h2_session.cpp. Bytes
/// go in by receive() and come out by output(); it knows nothing of sockets, time and HTTP's rules
/// (those are the gate's: nghttp2's own, laxer in places and different from version to version, are
/// switched off). Windows open only as consume() says. Priorities are ignored (RFC 9113 §5.3.2);
/// streams take turns, a frame each.
class h2_session {
public:
    /// Told what the client does, from within receive(), and asked for bodies from within output().
    /// May call everything but these two in return.
    class user {
    public:
        /// A request begins; what is returned stands for its stream until on_stream_closed().
        virtual h2_stream& on_stream(std::int32_t id) = 0;
        /// Views into the library, for this call.
        virtual void on_field(h2_stream& of, std::string_view name, std::string_view value) = 0;
        /// The head, or trailers; `last`: the stream's end, too.
        virtual void on_fields_end(h2_stream& of, bool last) = 0;
        /// A piece of the body, in the bytes that are being received.
        virtual void on_data(h2_stream& of, std::string_view piece) = 0;
        virtual void on_data_end(h2_stream& of) = 0;
        /// Both sides ended it, or one reset it; nothing more is told of it.
        virtual void on_stream_closed(h2_stream& of) = 0;
        virtual void on_settings_acknowledged() = 0;
        /// The answer went out whole, while the client still sends (RFC 9113 §8.1).
        virtual void on_early_end(h2_stream& of) = 0;
        /// What is sent, besides answers: a reset because of what the client did, or the end of
        /// the connection, with an error.
        virtual void on_reset_provoked() = 0;
        virtual void on_failure_sent() = 0;

        /// At most so many bytes of the stream's answer.
        virtual h2_offer on_offer(h2_stream& of, std::size_t most) = 0;
        /// Writes a frame: its head, and that much of the stream's answer, as on_offer() said.
        /// False: they are not to be had any more.
        virtual bool on_data_frame(h2_stream& of, std::string_view head, std::size_t count) = 0;

    protected:
        ~user() = default;
    };

    explicit h2_session(user& whose);
    ~h2_session();
    h2_session(const h2_session&) = delete;
    h2_session& operator=(const h2_session&) = delete;

    enum class outcome { fine, not_http2, broken };

    /// Takes all of it. Anything but fine: nothing more can be received, only sent.
    outcome receive(std::string_view bytes);

    /// Bytes to send next, valid until the next call; DATA frames go to on_data_frame() instead.
    /// Empty: nothing more to send now.
    std::string_view output();

    bool wants_to_read() const;
    bool wants_to_write() const;
    /// Frames that wait to be sent.
    std::size_t queued() const;

    /// An interim answer.
    void send_interim(std::int32_t id, const answer_head& head);
    /// `has_body`: asks on_offer() for it, and again after resume() when there was nothing yet.
    void send_head(std::int32_t id, const answer_head& head, bool has_body);
    void resume(std::int32_t id);
    void reset(std::int32_t id, h2_error why);

    /// So many bytes of the stream were used up: the client may send as many more.
    void consume(std::int32_t id, std::size_t count);
    /// Bytes of a stream that is over, or as good as.
    void consume_of_connection(std::size_t count);

    /// GOAWAY in three strengths: no new streams soon, please (RFC 9113 §6.8, the first of two); no
    /// more than have come; the end, with an error.
    void announce_end();
    void refuse_new_streams();
    void terminate(h2_error why);

    static constexpr std::uint32_t streams_max = 100;
    static constexpr std::uint32_t head_bytes_max = 16 * 1024; ///< unpacked, RFC 9113 §6.5.2
    static constexpr std::uint32_t stream_window = 64 * 1024;
    static constexpr std::int32_t connection_window = 1024 * 1024;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::gateway
