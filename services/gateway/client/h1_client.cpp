#include "gateway/client/h1_client.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::size_t small_bytes = std::size_t{4} * 1024;
constexpr std::size_t linger_bytes_max = std::size_t{256} * 1024;
constexpr std::chrono::milliseconds linger_time{2'000};

} // namespace

h1_client::h1_client(edge_loop& loop, client_owner& owner, int descriptor, client_info info)
    : h1_client(loop, owner, channel(loop, descriptor, *this), std::move(info)) {}

h1_client::h1_client(edge_loop& loop, client_owner& owner, channel&& open, client_info info)
    : loop_(loop), owner_(owner), channel_(std::move(open), *this), in_(loop.blocks(), small_bytes),
      timer_(loop.timers(), *this, timer_wheel::calls<&h1_client::on_timeout>{}),
      info_(std::move(info)) {}

h1_client::~h1_client() = default;

void h1_client::start() {
    await_request();
    keep_reading();
}

void h1_client::start_refused(const error& why) {
    refuse(why);
}

void h1_client::close_idle() {
    draining_ = stopping_ = true;
    if (phase_ != phase::waiting) {
        return;
    }
    if (!served_) {
        timer_.set_after(std::min(owner_.patience().idle, owner_.patience().first_while_draining));
    } else if (channel_.is_quiet()) {
        channel_.cancel_read(); // one that has completed already still brings its request
    }
}

void h1_client::await_request() {
    phase_ = phase::waiting;
    timer_.set(loop_.now() + owner_.patience().idle);
}

void h1_client::on_bytes(std::size_t count) {
    in_.added(count);
    if (phase_ == phase::serving) {
        if (wanted_) {
            pump_body();
        } else {
            keep_reading(); // the next request has come already
        }
    } else if (phase_ == phase::lingering) {
        lingered_bytes_ += count;
        in_.used(in_.unread().size());
        if (lingered_bytes_ > linger_bytes_max) {
            close();
        } else {
            keep_reading();
        }
    } else {
        run();
    }
}

void h1_client::run() {
    if (running_) {
        return;
    }
    running_ = true;
    while ((phase_ == phase::waiting || phase_ == phase::head) && !in_.empty() && take_head()) {}
    running_ = false;
    keep_reading();
}

/// False when more bytes are needed.
bool h1_client::take_head() {
    const auto parsed = http::parse_request_head(in_.unread(), {}, head_);
    if (!parsed) {
        refuse(parsed.error());
        return true;
    }
    if (*parsed == 0) {
        if (phase_ == phase::waiting) {
            phase_ = phase::head;
            timer_.set_after(owner_.patience().head); // for all of it, not per read
        }
        return false;
    }
    in_.used(*parsed);
    phase_ = phase::serving;
    timer_.clear();
    served_ = true;
    body_ = body_reader(head_.framing, head_.body_bytes);
    body_began_ = {};
    wanted_ = said_continue_ = chunked_answer_ = tunnel_ = false;
    user_ = &owner_.new_exchange(*this);
    user_->on_request(head_);
    return true;
}

void h1_client::refuse(const error& why) {
    phase_ = phase::serving;
    timer_.clear();
    head_.method = "GET";
    head_.version_minor = 1;
    head_.keep_alive = false;
    body_ = body_reader();
    wanted_ = chunked_answer_ = false;
    user_ = &owner_.new_exchange(*this);
    user_->on_malformed(why);
}

void h1_client::finish() {
    user_ = nullptr;
    wanted_ = false;
    out_.reset();
    if (ended_) {
        close();
    } else if (keep_alive_ && body_.finished()) {
        await_request();
        if (stopping_ && in_.empty()) {
            linger(); // the answer did not say so yet: the stop began meanwhile
        } else {
            run();
        }
    } else {
        linger();
    }
}

void h1_client::abort() {
    user_ = nullptr;
    channel_.cut(); // a body that only the end ends may not look whole
    close();
}

/// Says that nothing more comes and forgets what is still under way, so that the client reads the
/// answer instead of a reset.
void h1_client::linger() {
    phase_ = phase::lingering;
    lingered_bytes_ = in_.unread().size();
    in_.used(lingered_bytes_);
    channel_.shut_down_writing();
    timer_.set_after(linger_time);
    keep_reading();
}

void h1_client::on_end(bool orderly) {
    ended_ = true;
    if (phase_ != phase::serving) {
        close();
    } else if (!orderly) {
        user_->on_client_gone();
    } else if (wanted_) {
        wanted_ = false;
        end_of_input();
    }
    // Otherwise it only said that it asks for nothing more; the answer may still be wanted.
}

void h1_client::on_timeout() {
    switch (phase_) {
    case phase::head:
        refuse(
            {error_kind::invalid, "request-timeout", "the head took too long", "", std::nullopt});
        break;
    case phase::serving:
        if (!out_.empty()) {
            user_->on_client_gone();
        } else if (wanted_) {
            wanted_ = false;
            user_->on_request_body_failed(
                {error_kind::timeout, "request-timeout", "", "", std::nullopt});
        }
        break;
    case phase::waiting:
    case phase::lingering:
        close();
        break;
    case phase::closed:
        break;
    }
}

void h1_client::close() {
    if (phase_ != phase::closed) {
        phase_ = phase::closed;
        timer_.clear();
        channel_.close();
        owner_.on_closed(*this);
    }
}

} // namespace relais::gateway
