#include "gateway/upstream/upstream_connection.hpp"

#include "gateway/exchange/heads.hpp"
#include "gateway/exchange/request_facts.hpp"
#include "gateway/upstream/service.hpp"

namespace relais::gateway {
namespace {

constexpr std::size_t small_bytes = std::size_t{17} * 1024; ///< over the largest head
constexpr int interim_answers_max = 8;

} // namespace

upstream_connection::upstream_connection(edge_loop& loop, service& owner, std::size_t instance)
    : owner_(owner), instance_(instance), channel_(loop, *this),
      in_(loop.blocks(), small_bytes),
      timer_(loop.timers(), *this, timer_wheel::calls<&upstream_connection::on_timeout>{}) {}

void upstream_connection::connect(const boost::asio::ip::tcp::endpoint& where,
                                  std::chrono::milliseconds at_most,
                                  channel::make_session security) {
    timer_.set_after(at_most);
    channel_.connect(where, std::move(security));
}

void upstream_connection::on_connected(const boost::system::error_code& failed) {
    timer_.clear();
    if (!failed) {
        phase_ = phase::idle;
        keep_reading();
    }
    owner_.on_connected(*this, failed);
}

void upstream_connection::begin(upstream_user& whose, const request& what) {
    timer_.clear();
    user_ = &whose;
    request_ = what;
    phase_ = phase::head;
    body_ = body_reader();
    request_sent_ = false;
    answer_began_ = false;
    wanted_ = true;
    interim_ = 0;
    ++exchanges_;
}

sent upstream_connection::send_body(std::string_view piece, bool last) {
    const auto outcome = out_.send(channel_, piece, last, request_.chunked);
    request_sent_ = request_sent_ || last;
    return outcome;
}

void upstream_connection::end_tunnel() {
    channel_.shut_down_writing();
}

sent upstream_connection::flush() {
    request_sent_ = request_sent_ || !request_.has_body;
    return out_.flush(channel_);
}

void upstream_connection::read_answer() {
    wanted_ = true;
    if (!pumping_) {
        pump();
    }
}

bool upstream_connection::end() {
    user_ = nullptr;
    timer_.clear();
    const bool whole = phase_ == phase::body ? body_.finished() : phase_ == phase::over;
    const bool reusable = whole && answer_.keep_alive && request_sent_ && out_.empty() && !ended_ &&
                          in_.empty() && answer_.framing != http::framing::until_close;
    if (!reusable) {
        phase_ = phase::over;
        return false;
    }
    phase_ = phase::idle;
    out_.reset();
    if (!channel_.reading()) {
        in_.make_room();
        in_.shrink();
        keep_reading();
    }
    timer_.set_after(service::idle_max);
    return true;
}

void upstream_connection::on_bytes(std::size_t count) {
    in_.added(count);
    if (user_ == nullptr) {
        owner_.lose(*this); // nobody asked: whatever it is, it is not an answer
        return;
    }
    answer_began_ = true;
    if (wanted_) {
        pump();
    }
}

void upstream_connection::on_end(bool orderly) {
    ended_ = true;
    if (user_ == nullptr) {
        owner_.lose(*this);
        return;
    }
    if (phase_ == phase::body && body_.ends_with_connection() && orderly) {
        phase_ = phase::over;
        wanted_ = false;
        user_->on_answer_body({}, true);
        return;
    }
    const bool silent = phase_ == phase::head && !answer_began_;
    fail_with(error_kind::unavailable,
              silent || phase_ == phase::body ? "upstream-reset" : "upstream-malformed",
              "the service closed the connection");
}

void upstream_connection::on_room() {
    const auto outcome = out_.flush(channel_);
    if (user_ == nullptr) {
        return;
    }
    if (outcome == sent::broken) {
        // It may have answered before it closed: what it said comes to on_bytes(), or on_end().
        keep_reading();
    } else if (outcome == sent::whole) {
        user_->on_upstream_ready();
    }
}

void upstream_connection::on_timeout() {
    if (phase_ == phase::connecting) {
        channel_.close();
        owner_.on_connected(*this, boost::asio::error::timed_out);
    } else if (user_ == nullptr) {
        owner_.lose(*this);
    } else {
        fail_with(error_kind::timeout, "upstream-timeout", "the service fell silent");
    }
}

void upstream_connection::pump() {
    pumping_ = true;
    if (phase_ == phase::head && !take_head()) {
        pumping_ = false;
        return;
    }
    while (user_ != nullptr && phase_ == phase::body && wanted_ && !in_.empty()) {
        take_body();
    }
    pumping_ = false;
    if (user_ != nullptr && wanted_) {
        if (phase_ == phase::body) {
            timer_.set_after(answer_.status == 101 ? service::tunnel_silence_max
                                                   : service::answer_silence_max);
            user_->on_answer_pause();
        }
        if (user_ != nullptr) {
            keep_reading();
        }
    }
}

/// False when nothing is to be done before more comes, or at all.
bool upstream_connection::take_head() {
    while (true) {
        const auto parsed = http::parse_response_head(in_.unread(), {}, request_.method, answer_);
        if (!parsed) {
            fail_with(error_kind::unavailable, "upstream-malformed", parsed.error().detail);
            return false;
        }
        if (*parsed == 0) {
            keep_reading();
            return false;
        }
        in_.used(*parsed);
        if (answer_.status >= 200) {
            break;
        }
        if (!take_interim()) {
            return false;
        }
        if (phase_ != phase::head) {
            return true; // a tunnel
        }
    }
    body_ = body_reader(answer_.framing, answer_.body_bytes);
    phase_ = answer_.framing == http::framing::none ? phase::over : phase::body;
    user_->on_answer_head(answer_);
    return true;
}

/// False when the exchange is over.
bool upstream_connection::take_interim() {
    if (switches_to(answer_, request_.upgrade)) {
        answer_.keep_alive = false;
        request_.chunked = false;
        body_ = body_reader(http::framing::until_close, 0);
        phase_ = phase::body;
        user_->on_answer_head(answer_);
        return true;
    }
    if (answer_.status == 101 || ++interim_ > interim_answers_max) {
        fail_with(error_kind::unavailable, "upstream-malformed",
                  "an interim answer nobody asked for");
        return false;
    }
    if (answer_.status != 100) {
        user_->on_interim(answer_);
    }
    return user_ != nullptr;
}

void upstream_connection::take_body() {
    const auto piece = body_.take(in_);
    if (!piece) {
        fail_with(error_kind::unavailable, "upstream-malformed", piece.error().detail);
        return;
    }
    if (piece->data.empty() && !piece->finished) {
        return; // only a part of the framing
    }
    if (piece->finished) {
        timer_.clear();
        phase_ = phase::over;
    }
    wanted_ = false;
    user_->on_answer_body(piece->data, piece->finished);
}

void upstream_connection::keep_reading() {
    if (channel_.reading() || ended_) {
        return;
    }
    if (in_.tail().empty() || in_.empty()) {
        in_.make_room();
    }
    if (phase_ == phase::body && body_.is_long() && in_.empty()) {
        in_.grow();
    }
    if (!in_.tail().empty()) {
        channel_.read(in_.tail());
    }
}

void upstream_connection::fail_with(error_kind kind, std::string_view slug, std::string detail) {
    wanted_ = false;
    user_->on_upstream_failed({kind, std::string(slug), std::move(detail), "", std::nullopt});
}

} // namespace relais::gateway
