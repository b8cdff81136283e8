#pragma once

#include "gateway/client/client_side.hpp"
#include "gateway/client/h2_session.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace relais::gateway {

class h2_client;

/// One request on an HTTP/2 connection. What the client sends is only noted when it comes and told
/// to the exchange afterwards, by tell(): exchanges answer at once, and the library must not be
/// called from within itself. Bodies wait here, as much as the window lets come. Used again for
/// other requests.
class h2_stream final : public client_side {
public:
    explicit h2_stream(edge_loop& loop);

    /// For the next request.
    void begin(h2_client& whose, std::int32_t id);

    /// Instead: stands for no stream; whatever is sent is forgotten.
    void begin_without_stream(h2_client& whose);

    /// Who serves it is told this, instead of a request.
    void serve_malformed(const error& why);

    /// Both: what the client did, noted.
    void add_field(std::string_view name, std::string_view value);
    void end_fields(bool last);
    void add_data(std::string_view piece);
    void end_data();
    void on_closed();
    /// The answer is out, the client still sends: it has a moment to see that nobody wants it.
    void on_early_end();

    /// Tells the exchange what was noted.
    void tell();

    /// The connection is gone.
    void lose();

    /// The answer's body, for the session.
    h2_offer offer(std::size_t most) const;
    /// What was offered, first part of it; to be copied at once. Empty with a count: it is gone.
    std::string_view take(std::size_t count);

    const client_info& info() const override;
    void read_body() override;
    bool body_finished() const override;
    sent send_interim(const answer_head& head) override;
    void send_head(const answer_head& head) override;
    void take_back_head() override;
    void send_switch(const answer_head& head) override;
    sent send_body(std::string_view piece, bool last) override;
    sent flush() override;
    void finish() override;
    void abort() override;

    std::size_t place = 0; ///< among the connection's streams; the connection's business
    bool noted = false;    ///< in the connection's list of those that have something to tell

private:
    using steady = std::chrono::steady_clock;

    struct field_sizes {
        std::uint32_t name;
        std::uint32_t value;
    };

    void serve();
    void submit_head();
    result<void> read_head();
    const std::vector<http::field_view>& received() const;
    bool has_wrong_length() const;
    void deliver();
    void watch_body();
    void spoil();
    void forget_body();
    void retire_if_over();
    void on_timeout();

    timer_wheel::entry timer_;
    h2_client* client_ = nullptr;
    std::int32_t id_ = 0;
    request_user* user_ = nullptr;

    std::string text_; ///< names and values, one behind the other
    std::vector<field_sizes> fields_;
    std::size_t list_bytes_ = 0; ///< of the header block, as RFC 9113 §6.5.2 counts
    std::string cookies_;
    http::request_head head_;

    std::string coming_; ///< of the body, not given out
    std::string lent_;   ///< given out, until more is asked for
    std::uint64_t seen_ = 0;
    steady::time_point body_began_;
    const answer_head* answer_ = nullptr; ///< not with the session yet
    std::string_view piece_;              ///< of the answer, lent to us

    bool head_whole_ = false;
    bool has_body_ = false; ///< the head did not end the stream
    bool too_large_ = false;
    bool bad_trailers_ = false;
    bool arrived_ = false; ///< a request to be told
    bool ended_ = false;   ///< nothing more of the body comes
    bool spoiled_ = false; ///< the body cannot be had; to be told
    bool wanted_ = false;  ///< the exchange waits for a piece of the body
    bool delivering_ = false;
    bool said_continue_ = false;
    bool last_ = false;       ///< the piece is the answer's last
    bool last_taken_ = false; ///< the answer's end is with the session
    bool waiting_ = false;    ///< the exchange waits until its piece is taken
    bool room_ = false;       ///< it was; to be told
    bool mute_ = false;       ///< what is sent is forgotten: the stream is reset as malformed
    bool gave_up_ = false;    ///< on a client that does not read
    bool early_ = false;      ///< see on_early_end()
    bool closed_ = false;     ///< for the session
};

} // namespace relais::gateway
