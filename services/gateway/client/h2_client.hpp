#pragma once

#include "gateway/channel/channel.hpp"
#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/h2_frame_scanner.hpp"
#include "gateway/client/h2_guard.hpp"
#include "gateway/client/h2_output.hpp"
#include "gateway/client/h2_pool.hpp"
#include "gateway/client/h2_session.hpp"
#include "gateway/loop/edge_loop.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace relais::gateway {

/// A client's HTTP/2 connection (RFC 9113), by prior knowledge or after ALPN chose "h2": up to 100
/// requests at a time, each an h2_stream. What is ready on all streams goes out together at the end
/// of the loop's turn. A client that does too much for nothing (h2_guard), takes too long, or
/// breaks the protocol loses the connection, by a GOAWAY that says why. A client that closes its
/// side is gone: HTTP/2 has no use for half a connection.
class h2_client final : public client_connection, channel::user, h2_session::user {
public:
    h2_client(edge_loop& loop, client_owner& owner, h2_pool& pool, int descriptor,
              client_info info);

    /// On a connection that is open already, see channel's constructor; then start_with().
    h2_client(edge_loop& loop, client_owner& owner, h2_pool& pool, channel&& open,
              client_info info);
    ~h2_client() override;

    void start() override;
    /// The client's first bytes came already, the preface at their beginning.
    void start_with(std::string_view received);
    /// Its first request is answered with this, and then it ends.
    void start_refused(const error& why) override;
    void announce_drain() override;
    void close_idle() override;

    // What its streams use.
    const client_info& info() const {
        return info_;
    }

    client_owner& owner() {
        return owner_;
    }

    h2_session& session() {
        return session_;
    }

    std::vector<http::field_view>& scratch() {
        return pool_.scratch();
    }

    void count(h2_event what) {
        pool_.count(what);
    }

    /// Why requests are refused, if they are.
    const error* refusal() const {
        return refusal_ ? &*refusal_ : nullptr;
    }

    /// Nothing more goes through the session.
    bool is_over() const {
        return phase_ != phase::serving;
    }

    /// The client does not take what we send.
    bool is_congested() const {
        return blocked_;
    }

    /// A request is served.
    void on_request();
    /// The connection has to end for this, as soon as nobody is in the middle of something.
    void offend(h2_event what);
    /// It has something to tell its exchange.
    void note(h2_stream& which);
    /// Something was given to the session: it goes out at the end of the turn.
    void wake();
    /// Takes from the session what there is room for. Not from within the session.
    void produce();
    /// It is over for the session and for its exchange.
    void retire(h2_stream& which);

private:
    enum class phase {
        serving,
        ending,    ///< only what is rendered still goes out
        lingering, ///< nothing more is sent; what still comes is forgotten
        closed
    };

    void on_bytes(std::size_t count) override;
    void on_end(bool orderly) override;
    void on_room() override;

    void on_connected(const boost::system::error_code&) override {}

    h2_stream& on_stream(std::int32_t id) override;
    void on_field(h2_stream& of, std::string_view name, std::string_view value) override;
    void on_fields_end(h2_stream& of, bool last) override;
    void on_data(h2_stream& of, std::string_view piece) override;
    void on_data_end(h2_stream& of) override;
    void on_stream_closed(h2_stream& of) override;
    void on_early_end(h2_stream& of) override;
    void on_settings_acknowledged() override;
    void on_reset_provoked() override;
    void on_failure_sent() override;
    h2_offer on_offer(h2_stream& of, std::size_t most) override;
    bool on_data_frame(h2_stream& of, std::string_view head, std::size_t count) override;

    void take(std::string_view bytes);
    std::optional<h2_event> inspect(std::string_view bytes);
    void watch_header_block();
    void dispatch();
    void settle();
    void push();
    void end_if_done();
    void end_with(h2_event what);
    void report(h2_event what);
    void lose_streams();
    void linger();
    void close();
    void keep_reading();
    h2_stream& add_stream(std::unique_ptr<h2_stream> made);
    void on_idle();
    void on_block_timeout();
    void on_settings_timeout();
    void on_write_timeout();

    edge_loop& loop_;
    client_owner& owner_;
    h2_pool& pool_;
    channel channel_;
    read_buffer in_;
    h2_output out_;
    h2_session session_;
    h2_frame_scanner scanner_;
    h2_guard guard_;
    turn_end::entry turn_;
    timer_wheel::entry idle_;     ///< without a request; then: for the end
    timer_wheel::entry block_;    ///< for a header block to become whole
    timer_wheel::entry settings_; ///< for ours to be acknowledged
    timer_wheel::entry writing_;  ///< for the client to take something
    client_info info_;
    std::optional<error> refusal_;
    std::string_view rendered_; ///< by the session, not in out_ yet
    std::vector<std::unique_ptr<h2_stream>> streams_;
    std::vector<std::unique_ptr<h2_stream>> retired_; ///< somebody on the stack may use them
    std::vector<h2_stream*> news_;
    std::optional<h2_event> offence_;
    std::chrono::steady_clock::time_point now_; ///< when the last bytes came
    phase phase_ = phase::serving;
    std::size_t lingered_bytes_ = 0;
    bool settling_ = false;
    bool blocked_ = false;   ///< the socket is full
    bool ended_ = false;     ///< the client closed its side
    bool failed_ = false;    ///< the session ended itself with an error
    bool more_came_ = false; ///< than there was room for, the last time
    bool served_ = false;    ///< a request, at least
    bool draining_ = false;
    bool announced_ = false;
    bool stopping_ = false;
};

} // namespace relais::gateway
