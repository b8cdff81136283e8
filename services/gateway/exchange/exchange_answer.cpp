#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"

#include <fmt/format.h>

#include <algorithm>

// How a service's answer goes to the client.
namespace relais::gateway {
namespace {

using micros = std::chrono::microseconds;

} // namespace

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
    headed_at_ = turn_time();
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
    if (route_->bucket != nullptr && object_.judge(head) != bucket_request::verdict::give) {
        on_object_refused(head);
        return;
    }
    record_.status = static_cast<std::uint16_t>(head.status);
    answer_began_ = true;
    phase_ = phase::answering;
    timer_.clear();
    if (head.status >= 400) {
        sending_ = false; // an early refusal
    }
    reads_on_ = head.keep_alive && head.framing != http::framing::until_close;
    take_answer_head(head, record_.request_id.view(), edge_.loop().http_date(), answer_);
    if (route_->bucket != nullptr) {
        object_.shape(*route_->bucket, answer_);
    }
    if (route_->cache != nullptr && note_answer_for_cache()) {
        return;
    }
    shaper_.choose_coding(answer_);
    add_our_fields();
    client_->send_head(answer_);
    if (head.framing == http::framing::none) {
        answer_last_ = answer_out_ = true;
        continue_answer(client_->flush());
    }
}

void exchange::on_answer_body(std::string_view piece, bool last) {
    if (object_.skips) {
        object_.read_refusal(piece);
        if (last) {
            end_skipping();
        } else {
            upstream_->read_answer();
        }
        return;
    }
    record_.response_bytes += piece.size();
    fill_cache(piece, last);
    answer_last_ = last;
    answer_out_ = true;
    continue_answer(shaper_.send(*client_, piece, last));
}

void exchange::on_answer_pause() {
    if (object_.skips) {
        return; // the client gets nothing of it
    }
    if (shaper_.compressor().holds_back()) {
        flush_later();
        return;
    }
    answer_out_ = true;
    if (client_->flush() == sent::broken) {
        on_client_gone();
    }
}

void exchange::continue_answer(sent outcome) {
    if (outcome == sent::broken) {
        on_client_gone();
    } else if (outcome == sent::whole && answer_last_) {
        end_answer();
    } else if (outcome == sent::whole) {
        ask_for_more();
    } else if (answer_last_ && !sending_ && upstream_ != nullptr) {
        // The service is done; how slowly the client reads is not its business any more.
        service_->give_back_place(*upstream_);
    }
}

/// The client has the whole answer. A service that answers before it has the whole body, and does
/// not say that it closes, reads the rest (RFC 9112 §9.3), and may want it: whoever answers 202 at
/// once would get a piece of what it accepted.
void exchange::end_answer() {
    if (sending_ && reads_on_ && upstream_ != nullptr) {
        answered_ = true;
    } else {
        done();
    }
}

void exchange::ask_for_more() {
    if (upstream_ != nullptr) {
        upstream_->read_answer();
    } else {
        send_own_body();
    }
}

void exchange::on_client_ready() {
    if (shaper_.compressor().busy()) {
        continue_answer(shaper_.compressor().go_on(*client_));
    } else if (phase_ == phase::refusing) {
        done();
    } else if (answer_last_) {
        end_answer();
    } else if (phase_ == phase::answering || phase_ == phase::tunnel) {
        ask_for_more();
    }
}

/// A service that pauses only for a moment would spoil the compression; one that pauses for long
/// has said something that the client shall read meanwhile.
void exchange::flush_later() {
    constexpr std::chrono::milliseconds moment{10};
    if (!flush_timer_.is_set()) {
        flush_timer_.set_after(moment);
    }
}

void exchange::on_flush_due() {
    if (shaper_.compressor().flush(*client_) == sent::broken) {
        on_client_gone();
    }
}

} // namespace relais::gateway
