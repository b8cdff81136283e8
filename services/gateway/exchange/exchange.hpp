#pragma once

#include "gateway/access/access_record.hpp"
#include "gateway/answers/answer_shaper.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/exchange/cache_use.hpp"
#include "gateway/exchange/heads.hpp"
#include "gateway/exchange/request_facts.hpp"
#include "gateway/exchange/request_limits.hpp"
#include "gateway/files/bucket_request.hpp"
#include "gateway/files/static_answer.hpp"
#include "gateway/identity/identity_cache.hpp"
#include "gateway/live/loop_view.hpp"
#include "gateway/loop/timer_wheel.hpp"
#include "gateway/routing/route_table.hpp"
#include "gateway/upstream/hedge.hpp"
#include "gateway/upstream/plan.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relais::gateway {

class edge;

/// One request on its way through the gateway: route, identity, instance, the body there and the
/// answer back, both piece by piece as the slower side takes them. It ends once, by done(); objects
/// are used again for the next request of the loop.
class exchange final : public request_user,
                       public upstream_user,
                       public connection_user,
                       public identity_user,
                       hedge_user {
public:
    explicit exchange(edge& whose);

    /// For the next request of this client.
    void begin(client_side& client);

    /// After begin(): nobody waits for the answer, it is to replace what is kept.
    void begin_refresh(std::string key, response_cache::answer kept);

    bool is_idle() const {
        return client_ == nullptr;
    }

    /// Its body is large, and it is not answered yet.
    bool is_upload() const;
    /// Of an upload; notes how fast it goes since it was looked at before.
    upload_view look(std::chrono::steady_clock::time_point now);

    void on_request(const http::request_head& head) override;
    void on_malformed(const error& why) override;
    void on_request_body(std::string_view piece, bool last) override;
    void on_request_body_failed(const error& why) override;
    void on_client_ready() override;
    void on_client_gone() override;

    void on_identity(const result<const known_caller*>& who) override;

    void on_connection(upstream_connection& got) override;
    void on_connect_failed(std::size_t instance) override;
    void on_turn() override;

    void on_interim(const http::response_head& head) override;
    void on_answer_head(const http::response_head& head) override;
    void on_answer_body(std::string_view piece, bool last) override;
    void on_answer_pause() override;
    void on_upstream_ready() override;
    void on_upstream_failed(const error& why) override;

private:
    using steady = std::chrono::steady_clock;

    /// For an instance that can be reached.
    static constexpr std::chrono::milliseconds connection_wait{5'000};

    steady::time_point turn_time() const;
    void begin_request(const http::request_head& head);
    void find_sender(const http::request_head& head);
    result<void> admit(const http::request_head& head);
    const route* find_route(const http::request_head& head);
    void authenticate();
    bool authenticate_by_cookie();
    void identify(std::string_view token);
    void prepare(const known_caller* caller);
    void seek_connection();
    void note_connection();
    void on_hedge_won(const http::response_head& head) override;
    bool may_hedge() const;
    void use_hedge();
    void end_trial(bool answered);
    void await_answer();
    void send_request();
    void request_sent();
    void begin_tunnel(const http::response_head& head);
    void end_sending();
    void stop_sending();
    void continue_answer(sent outcome);
    void end_answer();
    bool may_send_again() const;
    void retry();
    void drop_upstream();
    void fail_upstream(const error& why);
    void refuse(const error& why);
    void refuse_or_cut(const error& why);
    void answer_here(const http::response& answer);
    void add_our_fields();
    void give_up();
    void done();
    void done_broken();
    void close_record();
    void on_timeout();
    void serve_file();
    bool write_forwarded(const known_caller* caller);
    result<void> find_object();
    void write_object_head();
    void on_object_refused(const http::response_head& head);
    void end_skipping();
    void send_own_answer();
    bool use_cache();
    bool look_in_cache();
    void on_cache_turn(std::uint64_t ticket);
    const http::request_head& asked_of_service();
    bool note_answer_for_cache();
    void fill_cache(std::string_view piece, bool last);
    void end_leading(bool uncacheable);
    bool may_serve_stale() const;
    void serve_stale();
    void serve_kept(response_cache::answer kept, cache_status how);
    void release_upstream();
    void send_own_body();
    void ask_for_more();
    void flush_later();
    void on_flush_due();

    /// What the exchange waits for, besides the two sides.
    enum class phase {
        idle,
        joining,
        identity,
        connection,
        pause,
        upstream,
        answering,
        tunnel,
        refusing
    };

    edge& edge_;
    timer_wheel::entry timer_;
    timer_wheel::entry flush_timer_; ///< what compression holds back goes out
    client_side* client_ = nullptr;
    upstream_connection* upstream_ = nullptr;
    std::shared_ptr<const plan> plan_; // as edge::current_plan() was when it began
    service* service_ = nullptr;
    const gateway::route* route_ = nullptr;
    phase phase_ = phase::idle;
    access_record record_;
    std::string head_text_; ///< for the service
    request_limits limits_;
    answer_shaper shaper_;
    static_answer file_;
    bucket_request object_;
    cache_use cache_;
    ip_address address_;       ///< the client's
    std::string address_text_; ///< where it is not the connection's peer
    bool https_ = false;       ///< the client's side, as far as it is known
    bool preflight_ = false;   ///< it only asks what another request may do; we answer
    std::string refusal_body_;
    answer_head answer_;
    const http::request_head* head_ = nullptr; ///< until its body is read
    upstream_connection::request request_;
    hedge hedge_;
    bool on_trial_ = false;     ///< the circuit of its service waits to hear of it
    bool sending_ = false;      ///< the body, to the service
    bool body_touched_ = false; ///< a part of it was taken from the client
    bool answer_began_ = false; ///< its head was given to the client's side
    bool answer_out_ = false;   ///< and may have left
    bool answer_last_ = false;
    bool answered_ = false;  ///< the client has all of it; only the rest of its body is on its way
    bool reads_on_ = false;  ///< the service answered early, and goes on reading the body
    bool body_last_ = false; ///< the piece under way to the service is the body's last
    bool by_cookie_ = false; ///< the caller is known by it
    bool may_reuse_ = true;  ///< connections that were used before
    std::array<std::size_t, 4> failed_{}; ///< instances
    std::size_t failed_count_ = 0;
    std::int64_t body_weight_ = 0;  ///< bytes for which the balancer counts the body
    std::uint64_t body_size_ = 0;   ///< as announced; 0: it was not
    transfer_pace pace_;            ///< of the body
    steady::time_point until_;      ///< the answer's head must be there
    steady::time_point wait_until_; ///< a connection must be there
    steady::time_point sent_at_;    ///< the request's last byte
    steady::time_point sought_at_;  ///< a connection, first
    steady::time_point headed_at_;  ///< the answer's head was there
    std::chrono::nanoseconds answer_took_{};
};

} // namespace relais::gateway
