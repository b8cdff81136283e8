#pragma once

#include "gateway/channel/body_reader.hpp"
#include "gateway/channel/channel.hpp"
#include "gateway/channel/framed_writer.hpp"
#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "http/gate.hpp"

#include <string>

namespace relais::gateway {

/// A client's HTTP/1.1 connection: heads pass the strict gate, requests are served one after the
/// other, whatever is in doubt ends it. While nothing goes on it holds 4 KiB.
class h1_client final : public client_connection, public client_side, channel::user {
public:
    h1_client(edge_loop& loop, client_owner& owner, int descriptor, client_info info);
    /// On a connection that is open already, see channel's constructor.
    h1_client(edge_loop& loop, client_owner& owner, channel&& open, client_info info);
    ~h1_client() override;

    void start() override;
    void start_refused(const error& why) override;

    void announce_drain() override {
        draining_ = true;
    }

    void close_idle() override;

    const client_info& info() const override {
        return info_;
    }

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

private:
    void on_bytes(std::size_t count) override;
    void on_end(bool orderly) override;
    void on_room() override;

    void on_connected(const boost::system::error_code&) override {}

    void on_timeout();

    void run();
    bool take_head();
    void refuse(const error& why);
    void pump_body();
    void end_of_input();
    void keep_reading();
    void await_request();
    std::chrono::steady_clock::time_point patience() const;
    void linger();
    void close();
    sent watch(sent outcome);

    enum class phase {
        waiting,   ///< for the first byte of a request
        head,      ///< a part of a head is there
        serving,   ///< an exchange is under way
        lingering, ///< nothing more is sent; what still comes is forgotten
        closed
    };

    edge_loop& loop_;
    client_owner& owner_;
    channel channel_;
    read_buffer in_;
    framed_writer out_;
    timer_wheel::entry timer_;
    request_user* user_ = nullptr;
    phase phase_ = phase::waiting;
    http::request_head head_;
    body_reader body_;
    client_info info_;
    std::chrono::steady_clock::time_point body_began_;
    std::size_t lingered_bytes_ = 0;
    bool wanted_ = false;  ///< the exchange waits for a piece of the body
    bool running_ = false; ///< run() is on the stack
    bool pumping_ = false;
    bool keep_alive_ = true;
    bool chunked_answer_ = false;
    bool said_continue_ = false;
    bool tunnel_ = false;
    bool ended_ = false; ///< the client closed its side
    bool draining_ = false;
    bool stopping_ = false;
    bool served_ = false; ///< a request, at least
};

} // namespace relais::gateway
