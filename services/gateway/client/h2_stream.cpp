#include "gateway/client/h2_stream.hpp"

#include "gateway/client/h2_client.hpp"

#include <utility>

// The side of a stream that the exchange sees. What comes from the client is in
// h2_stream_input.cpp.
namespace relais::gateway {
namespace {

/// Some clients (curl before 8) lose an answer when the stream is reset right behind it.
constexpr std::chrono::milliseconds early_end_time{250};

} // namespace

const client_info& h2_stream::info() const {
    return client_->info();
}

bool h2_stream::body_finished() const {
    return ended_ && coming_.empty();
}

void h2_stream::read_body() {
    if (body_began_ == steady::time_point{}) {
        body_began_ = steady::now();
    }
    if (!lent_.empty() && !closed_) {
        client_->session().consume(id_, lent_.size());
        client_->wake();
    } else if (!lent_.empty()) {
        client_->session().consume_of_connection(lent_.size());
    }
    lent_.clear();
    wanted_ = true;
    if (head_.expect_continue && !said_continue_ && seen_ == 0 && !ended_ && !closed_) {
        said_continue_ = true;
        answer_head go_on;
        go_on.status = 100;
        send_interim(go_on);
    }
    deliver();
}

sent h2_stream::send_interim(const answer_head& head) {
    // Nobody depends on one; and they may not pile up in front of a client that does not read.
    if (!closed_ && !mute_ && !client_->is_congested()) {
        client_->session().send_interim(id_, head);
        client_->wake();
    }
    return sent::whole;
}

void h2_stream::send_head(const answer_head& head) {
    answer_ = &head;
}

void h2_stream::take_back_head() {
    answer_ = nullptr;
}

/// What the session was given cannot be taken back.
void h2_stream::submit_head() {
    if (answer_ == nullptr) {
        return;
    }
    const auto& head = *std::exchange(answer_, nullptr);
    if (!closed_ && !mute_) {
        last_taken_ = !head.has_body;
        client_->session().send_head(id_, head, head.has_body);
        client_->wake();
    }
}

/// Never asked for: a request of HTTP/2 has no Upgrade (RFC 8441 is not offered).
void h2_stream::send_switch(const answer_head& /*head*/) {
    mute_ = true;
}

sent h2_stream::send_body(std::string_view piece, bool last) {
    submit_head();
    if (mute_) {
        return sent::whole;
    }
    if (closed_) {
        return sent::broken;
    }
    piece_ = piece;
    last_ = last;
    client_->session().resume(id_);
    client_->produce();
    client_->wake();
    if (piece_.empty() && (!last_ || last_taken_)) {
        return sent::whole;
    }
    waiting_ = true;
    timer_.set_after(client_->owner().patience().answer_idle);
    return sent::waiting;
}

/// What is with the session goes out by itself.
sent h2_stream::flush() {
    submit_head();
    return closed_ && !last_taken_ && !mute_ ? sent::broken : sent::whole;
}

h2_offer h2_stream::offer(std::size_t most) const {
    if (piece_.empty() && !last_) {
        return {};
    }
    const auto count = std::min(most, piece_.size());
    return {h2_offer::what::data, count, last_ && count == piece_.size()};
}

std::string_view h2_stream::take(std::size_t count) {
    if (count > piece_.size()) {
        return {}; // it was aborted meanwhile
    }
    const auto part = piece_.substr(0, count);
    piece_.remove_prefix(count);
    last_taken_ = last_ && piece_.empty();
    if (waiting_ && piece_.empty()) {
        waiting_ = false;
        room_ = true;
        timer_.clear();
        watch_body();
        client_->note(*this);
    } else if (waiting_) {
        timer_.set_after(client_->owner().patience().answer_idle);
    }
    return part;
}

void h2_stream::on_early_end() {
    early_ = true;
    if (user_ == nullptr) {
        timer_.set_after(early_end_time);
    }
}

void h2_stream::finish() {
    user_ = nullptr;
    timer_.clear();
    if (early_) {
        timer_.set_after(early_end_time);
    }
    forget_body();
    if (mute_ && !closed_) {
        client_->session().reset(id_, h2_error::protocol);
    }
    retire_if_over();
}

void h2_stream::abort() {
    user_ = nullptr;
    timer_.clear();
    answer_ = nullptr;
    piece_ = {};
    last_ = waiting_ = false; // no proper end
    forget_body();
    if (!closed_) {
        client_->session().reset(id_, mute_      ? h2_error::protocol
                                      : gave_up_ ? h2_error::cancel
                                                 : h2_error::internal);
    }
    retire_if_over();
}

void h2_stream::forget_body() {
    wanted_ = false;
    if (!client_->is_over()) {
        client_->session().consume_of_connection(coming_.size() + lent_.size());
    }
    coming_.clear();
    lent_.clear();
}

void h2_stream::retire_if_over() {
    client_->wake();
    if (closed_) {
        client_->retire(*this);
    }
}

void h2_stream::on_timeout() {
    if (user_ == nullptr) {
        if (!closed_) {
            client_->session().reset(id_, h2_error::none);
            client_->wake();
        }
        return;
    }
    if (waiting_) {
        client_->count(h2_event::slow_reader);
        gave_up_ = true;
        user_->on_client_gone();
    } else if (wanted_) {
        wanted_ = false;
        user_->on_request_body_failed(
            {error_kind::timeout, "request-timeout", "", "", std::nullopt});
    }
}

} // namespace relais::gateway
