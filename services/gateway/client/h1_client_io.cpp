#include "gateway/client/h1_client.hpp"
#include "gateway/exchange/heads.hpp"

// How bodies and answers go over a client's connection.
namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace

void h1_client::read_body() {
    if (body_began_ == steady::time_point{}) {
        body_began_ = loop_.now();
    }
    wanted_ = true;
    if (head_.expect_continue && !said_continue_ && in_.empty()) {
        said_continue_ = true;
        out_.text() += continue_line;
        watch(out_.flush(channel_));
    }
    pump_body();
}

bool h1_client::body_finished() const {
    return body_.finished();
}

void h1_client::pump_body() {
    if (pumping_) {
        return;
    }
    pumping_ = true;
    while (wanted_ && user_ != nullptr) {
        const auto piece = body_.take(in_);
        if (!piece) {
            wanted_ = false;
            user_->on_request_body_failed(piece.error());
            break;
        }
        if (piece->data.empty() && !piece->finished) {
            break;
        }
        wanted_ = false;
        timer_.clear();
        user_->on_request_body(piece->data, piece->finished);
    }
    pumping_ = false;
    if (user_ != nullptr && wanted_) {
        if (ended_) {
            wanted_ = false;
            end_of_input();
            return;
        }
        timer_.set(patience());
    }
    keep_reading();
}

/// The client closed its side while more was wanted: in a tunnel that is how it ends.
void h1_client::end_of_input() {
    if (tunnel_) {
        user_->on_request_body({}, true);
    } else {
        user_->on_request_body_failed(
            {error_kind::unavailable, "client-gone", "", "", std::nullopt});
    }
}

/// How long to wait for more of the body: not too long in silence, nor too slow in all.
steady::time_point h1_client::patience() const {
    const auto& limits = owner_.patience();
    if (tunnel_) {
        return steady::now() + limits.tunnel_idle;
    }
    return body_deadline(limits, body_began_, body_.bytes_seen());
}

sent h1_client::send_interim(const answer_head& head) {
    if (head_.version_minor == 0) {
        return sent::whole;
    }
    write_interim_head(head, out_.text());
    return watch(out_.flush(channel_));
}

void h1_client::take_back_head() {
    out_.reset();
}

void h1_client::send_switch(const answer_head& head) {
    write_interim_head(head, out_.text());
    keep_alive_ = false;
    tunnel_ = true;
    body_ = body_reader(http::framing::until_close, 0);
}

void h1_client::send_head(const answer_head& head) {
    const bool length_known = !head.has_body || head.content_length.has_value();
    // No persistent connection with an HTTP/1.0 client (RFC 9112, appendix C.2.2); and the rest of
    // a body would be taken for a request.
    keep_alive_ = head_.keep_alive && head_.version_minor == 1 && !draining_ && !ended_ &&
                  body_.finished() && (length_known || head_.version_minor == 1);
    chunked_answer_ =
        write_answer_head(head, head_.method, head_.version_minor, keep_alive_, out_.text());
}

sent h1_client::send_body(std::string_view piece, bool last) {
    return watch(out_.send(channel_, piece, last, chunked_answer_));
}

sent h1_client::flush() {
    return watch(out_.flush(channel_));
}

sent h1_client::watch(sent outcome) {
    if (outcome == sent::waiting) {
        timer_.set_after(owner_.patience().answer_idle);
    }
    return outcome;
}

void h1_client::on_room() {
    const auto outcome = watch(out_.flush(channel_));
    if (user_ == nullptr) {
        return;
    }
    if (outcome == sent::broken) {
        user_->on_client_gone();
    } else if (outcome == sent::whole) {
        if (wanted_) {
            timer_.set(patience());
        } else {
            timer_.clear();
        }
        user_->on_client_ready();
    }
}

void h1_client::keep_reading() {
    if (channel_.reading() || ended_ || phase_ == phase::closed) {
        return;
    }
    if (phase_ == phase::serving && body_.finished()) {
        // Only to see whether the client leaves, and without moving what others look at.
        if (!in_.tail().empty()) {
            channel_.read(in_.tail());
        }
        return;
    }
    if (phase_ == phase::serving && !wanted_) {
        return; // it is told to wait by not being read
    }
    if (in_.empty() || in_.tail().empty()) {
        in_.make_room();
    }
    if (phase_ == phase::waiting) {
        in_.shrink();
    }
    const bool long_body = phase_ == phase::serving && body_.is_long();
    if (long_body || in_.tail().empty()) {
        in_.grow();
    }
    channel_.read(in_.tail());
}

} // namespace relais::gateway
