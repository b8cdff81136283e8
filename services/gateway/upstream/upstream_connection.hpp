#pragma once

#include "gateway/channel/body_reader.hpp"
#include "gateway/channel/channel.hpp"
#include "gateway/channel/framed_writer.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "gateway/loop/timer_wheel.hpp"
#include "http/gate.hpp"

#include <string>
#include <string_view>

namespace relais::gateway {

class service;

/// What a service's connection tells the exchange that uses it.
class upstream_user {
public:
    /// An interim answer (but 100, which is ours to say). Its views are valid during the call.
    virtual void on_interim(const http::response_head& head) = 0;
    /// A final answer's head, or 101: then both directions are bytes of the other protocol. Its
    /// views are valid during the call.
    virtual void on_answer_head(const http::response_head& head) = 0;
    /// The next piece, valid until read_answer() is called.
    virtual void on_answer_body(std::string_view piece, bool last) = 0;
    /// Nothing more is there at the moment.
    virtual void on_answer_pause() = 0;
    /// After a send that had to wait.
    virtual void on_upstream_ready() = 0;
    /// Errors: `unavailable` / "upstream-reset" (before any byte of an answer, or in its body),
    /// "upstream-malformed"; `timeout` / "upstream-timeout" (silent in its body).
    virtual void on_upstream_failed(const error& why) = 0;

protected:
    ~upstream_user() = default;
};

/// One connection to an instance of a service, which carries one exchange after the other. Strict:
/// what comes when nothing was asked, or behind an answer, ends it.
class upstream_connection final : channel::user {
public:
    upstream_connection(edge_loop& loop, service& owner, std::size_t instance);
    upstream_connection(const upstream_connection&) = delete;
    upstream_connection& operator=(const upstream_connection&) = delete;

    /// The owner is told how it ended. `security`: see channel::connect().
    void connect(const boost::asio::ip::tcp::endpoint& where, std::chrono::milliseconds at_most,
                 channel::make_session security = nullptr);

    struct request {
        std::string_view method; ///< outlives the exchange
        bool chunked = false;    ///< how its body goes
        bool has_body = false;
        std::string_view upgrade; ///< the protocol it may switch to; outlives the exchange
    };

    /// Begins an exchange. head() takes its rendered head; it goes out with the first piece of the
    /// body, or at flush().
    void begin(upstream_user& whose, const request& what);

    std::string& head() {
        return out_.text();
    }

    /// From here on somebody else is told what comes of the exchange.
    void hand_over(upstream_user& next) {
        user_ = &next;
    }

    sent send_body(std::string_view piece, bool last);
    sent flush();
    /// The client's direction of a tunnel is over and flushed.
    void end_tunnel();

    /// Asks for the next piece of the answer's body.
    void read_answer();

    /// The exchange is over; true when the connection may carry another.
    bool end();

    void close() {
        channel_.close();
        timer_.clear();
        user_ = nullptr;
    }

    const tls_session* session() const {
        return channel_.session();
    }

    tls_outcome handshake() const {
        return channel_.handshake();
    }

    std::size_t instance() const {
        return instance_;
    }

    bool was_used_before() const {
        return exchanges_ > 1;
    }

    /// Before begin(): it carried an exchange already.
    bool was_used() const {
        return exchanges_ > 0;
    }

    void note_connect_time(std::chrono::steady_clock::duration took) {
        connect_time_ = std::chrono::duration_cast<std::chrono::microseconds>(took);
    }

    std::chrono::microseconds connect_time() const {
        return connect_time_;
    }

    /// Whether a byte of the answer came.
    bool answer_began() const {
        return answer_began_;
    }

    /// Asked of the kernel: for a request that cannot be sent twice.
    bool is_quiet() const {
        return in_.empty() && channel_.is_quiet();
    }

    std::size_t place = 0;         ///< among the owner's connections; the owner's business
    bool place_given_back = false; ///< it does not count any more; the same

private:
    void on_bytes(std::size_t count) override;
    void on_end(bool orderly) override;
    void on_room() override;
    void on_connected(const boost::system::error_code& failed) override;
    void on_timeout();

    void pump();
    bool take_head();
    bool take_interim();
    void take_body();
    void keep_reading();
    void fail_with(error_kind kind, std::string_view slug, std::string detail);

    enum class phase { connecting, idle, head, body, over };

    service& owner_;
    std::size_t instance_;
    channel channel_;
    read_buffer in_;
    framed_writer out_;
    timer_wheel::entry timer_;
    upstream_user* user_ = nullptr;
    phase phase_ = phase::connecting;
    request request_;
    http::response_head answer_;
    body_reader body_;
    bool request_sent_ = false;
    bool answer_began_ = false;
    bool wanted_ = false; ///< the user waits for a piece
    bool pumping_ = false;
    bool ended_ = false; ///< the other side closed in order
    int interim_ = 0;
    std::chrono::microseconds connect_time_{};
    unsigned exchanges_ = 0;
};

} // namespace relais::gateway
