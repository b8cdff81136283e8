#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/transport_rules.hpp"

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
    const auto waited = std::chrono::duration_cast<micros>(turn_time() - sought_at_);
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
    sent_at_ = turn_time();
    limits_.end_upload();
    if (body_touched_) {
        until_ = std::max(until_, sent_at_ + route_->deadline / 2);
    }
    if (answered_) {
        done();
    } else if (!answer_began_) {
        await_answer();
    }
}

/// What the circuit of the service is told, once.
void exchange::end_trial(bool answered) {
    if (!std::exchange(on_trial_, false)) {
        return;
    }
    if (answered) {
        service_->breaker().report_answer(turn_time());
    } else {
        service_->breaker().report_failure(turn_time());
    }
}

void exchange::stop_sending() {
    sending_ = false;
    sent_at_ = turn_time();
    if (answered_) {
        done();
    } else if (!answer_began_) {
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

void exchange::on_client_gone() {
    record_.reason = error_reason::client_disconnect;
    if (!answer_began_) {
        record_.status = 499; // never seen by anybody but the log
    }
    done_broken();
}

void exchange::on_upstream_failed(const error& why) {
    if (answered_) { // it wants no more
        drop_upstream();
        done();
        return;
    }
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

/// Only when that is safe: the connection broke before any byte of an answer, the method is
/// idempotent and no body was taken from the client. One that had been idle in the pool may simply
/// have been old; after a new one there has to be another instance to ask.
bool exchange::may_send_again() const {
    return phase_ == phase::upstream && !answer_began_ && !upstream_->answer_began() &&
           record_.retries == 0 && !request_.has_body && is_idempotent(request_.method) &&
           (upstream_->was_used_before() || service_->instances() > 1);
}

void exchange::retry() {
    ++record_.retries;
    may_reuse_ = false;
    // Also after a pooled one: whoever breaks them all must be out before the budget is spent.
    service_->report_failure(upstream_->instance());
    failed_[0] = upstream_->instance();
    failed_count_ = 1;
    drop_upstream();
    wait_until_ = std::min(until_, turn_time() + connection_wait);
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
