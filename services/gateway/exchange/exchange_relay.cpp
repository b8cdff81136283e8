#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// How a request goes to an instance and its answer back. How it ends is in exchange_end.cpp.
namespace relais::gateway {
namespace {

/// For a service to take more of a body.
constexpr std::chrono::milliseconds upload_stall_max{30'000};

using micros = std::chrono::microseconds;

} // namespace

void exchange::on_connection(upstream_connection& got) {
    upstream_ = &got;
    phase_ = phase::upstream;
    note_connection();
    service_->add_bytes(upstream_->instance(), body_weight_);
    send_request();
}

void exchange::note_connection() {
    record_.upstream_instance = service_->instance_label(upstream_->instance());
    record_.connection_reused = upstream_->was_used();
    const auto waited = std::chrono::duration_cast<micros>(steady::now() - sought_at_);
    record_.connect = record_.connection_reused ? not_reached : upstream_->connect_time();
    record_.queue =
        record_.connection_reused ? waited : std::max(waited - record_.connect, micros(0));
}

void exchange::send_request() {
    upstream_->begin(*this, request_);
    upstream_->head() += head_text_;
    if (!request_.has_body) {
        const auto outcome = upstream_->flush();
        request_sent();
        if (outcome == sent::broken) {
            return; // what it says about that comes as the answer
        }
        return;
    }
    sending_ = true;
    timer_.clear();
    client_->read_body();
    if (sending_ && upstream_ != nullptr && !body_touched_) {
        upstream_->flush(); // the head goes ahead of a body that takes its time
    }
}

void exchange::on_request_body(std::string_view piece, bool last) {
    head_ = nullptr;
    body_touched_ = true;
    record_.request_bytes += piece.size();
    if (record_.request_bytes > route_->body_max_bytes && phase_ != phase::tunnel) {
        const error why{error_kind::too_large, "body-too-large",
                        fmt::format("at most {} bytes", route_->body_max_bytes), "", std::nullopt};
        refuse_or_cut(why);
        return;
    }
    if (!sending_) {
        return; // nobody wants it any more
    }
    const auto outcome = upstream_->send_body(piece, last);
    if (outcome == sent::broken) {
        // It closed while we send: what it says counts (a refusal), the rest of the body does not.
        stop_sending();
        return;
    }
    body_last_ = last;
    if (last && (outcome == sent::whole || phase_ != phase::tunnel)) {
        end_sending();
    } else if (outcome == sent::whole) {
        timer_.clear();
        client_->read_body();
    } else {
        timer_.set_after(upload_stall_max);
    }
}

void exchange::end_sending() {
    sending_ = false;
    if (phase_ == phase::tunnel) {
        upstream_->end_tunnel();
    } else {
        request_sent();
    }
}

/// The time a client takes to send its body is not the service's.
void exchange::request_sent() {
    sent_at_ = steady::now();
    if (body_touched_) {
        until_ = std::max(until_, sent_at_ + route_->deadline / 2);
    }
    if (!answer_began_) {
        await_answer();
    }
}

/// What the circuit of the service is told, once.
void exchange::end_trial(bool answered) {
    if (!std::exchange(on_trial_, false)) {
        return;
    }
    if (answered) {
        service_->breaker().report_answer(steady::now());
    } else {
        service_->breaker().report_failure(steady::now());
    }
}

void exchange::stop_sending() {
    sending_ = false;
    sent_at_ = steady::now();
    if (!answer_began_) {
        timer_.set(std::max(until_, sent_at_ + route_->deadline / 2));
    }
}

void exchange::on_upstream_ready() {
    if (sending_ && body_last_) {
        end_sending();
    } else if (sending_) {
        timer_.clear();
        client_->read_body();
    }
}

void exchange::on_request_body_failed(const error& why) {
    if (phase_ == phase::refusing) {
        return;
    }
    if (why.slug == "client-gone") {
        on_client_gone();
    } else {
        refuse_or_cut(why);
    }
}

void exchange::on_interim(const http::response_head& head) {
    take_interim_head(head, "", answer_);
    if (client_->send_interim(answer_) == sent::broken) {
        on_client_gone();
    }
}

void exchange::begin_tunnel(const http::response_head& head) {
    record_.status = static_cast<std::uint16_t>(head.status);
    record_.protocol = http_protocol::websocket;
    answer_began_ = answer_out_ = true;
    phase_ = phase::tunnel;
    timer_.clear();
    take_interim_head(head, request_.upgrade, answer_);
    client_->send_switch(answer_);
    if (client_->flush() == sent::broken) {
        on_client_gone();
        return;
    }
    sending_ = true;
    client_->read_body();
}

void exchange::on_answer_head(const http::response_head& head) {
    hedge_.stop();
    end_trial(true);
    headed_at_ = steady::now();
    answer_took_ = headed_at_ - std::max(sent_at_, record_.started);
    record_.service = std::chrono::duration_cast<micros>(answer_took_);
    if (head.status == 101) {
        begin_tunnel(head);
        return;
    }
    if (route_->failures_as_429 && head.status >= 500) {
        fail_upstream({error_kind::unavailable, "upstream-failed",
                       fmt::format("the service answered {}", head.status), "", std::nullopt});
        return;
    }
    record_.status = static_cast<std::uint16_t>(head.status);
    answer_began_ = true;
    phase_ = phase::answering;
    timer_.clear();
    if (head.status >= 400) {
        sending_ = false; // an early refusal
    }
    take_answer_head(head, record_.request_id.view(), edge_.loop().http_date(), answer_);
    limits_.write_fields(answer_);
    client_->send_head(answer_);
    if (head.framing == http::framing::none) {
        answer_last_ = answer_out_ = true;
        continue_answer(client_->flush());
    }
}

void exchange::on_answer_body(std::string_view piece, bool last) {
    record_.response_bytes += piece.size();
    answer_last_ = last;
    answer_out_ = true;
    continue_answer(client_->send_body(piece, last));
}

void exchange::on_answer_pause() {
    answer_out_ = true;
    if (client_->flush() == sent::broken) {
        on_client_gone();
    }
}

void exchange::continue_answer(sent outcome) {
    if (outcome == sent::broken) {
        on_client_gone();
    } else if (outcome == sent::whole && answer_last_) {
        done();
    } else if (outcome == sent::whole) {
        upstream_->read_answer();
    }
}

void exchange::on_client_ready() {
    if (phase_ == phase::refusing || answer_last_) {
        done();
    } else if (phase_ == phase::answering || phase_ == phase::tunnel) {
        upstream_->read_answer();
    }
}

void exchange::on_client_gone() {
    record_.reason = error_reason::client_disconnect;
    if (!answer_began_) {
        record_.status = 499; // never seen by anybody but the log
    }
    done_broken();
}

void exchange::on_upstream_failed(const error& why) {
    if (hedge_.is_under_way()) {
        service_->report_failure(upstream_->instance());
        use_hedge();
        return;
    }
    if (may_send_again() && service_->may_retry()) {
        retry();
        return;
    }
    fail_upstream(why);
}

/// Only when that is safe: the connection had been idle in the pool, broke before any byte of an
/// answer, the method is idempotent and no body was taken from the client.
bool exchange::may_send_again() const {
    return phase_ == phase::upstream && !answer_began_ && upstream_->was_used_before() &&
           !upstream_->answer_began() && record_.retries == 0 && !request_.has_body &&
           is_idempotent(request_.method);
}

void exchange::retry() {
    ++record_.retries;
    may_reuse_ = false;
    drop_upstream();
    wait_until_ = std::min(until_, steady::now() + connection_wait);
    timer_.set(wait_until_);
    seek_connection();
}

void exchange::fail_upstream(const error& why) {
    end_trial(false);
    if (upstream_ != nullptr) {
        service_->report_failure(upstream_->instance());
    }
    refuse_or_cut(why);
}

void exchange::drop_upstream() {
    if (upstream_ != nullptr) {
        auto* const used = upstream_;
        upstream_ = nullptr;
        service_->add_bytes(used->instance(), -body_weight_);
        service_->drop(*used);
    }
}

} // namespace relais::gateway
