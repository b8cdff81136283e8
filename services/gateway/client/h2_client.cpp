#include "gateway/client/h2_client.hpp"

#include <algorithm>

// How a connection begins, what it does about streams and how it ends. The way of the bytes is in
// h2_client_io.cpp.
namespace relais::gateway {
namespace {

constexpr std::size_t small_bytes = std::size_t{2} * 1024;
constexpr std::chrono::milliseconds linger_time{2'000};

/// What the client is told when its connection ends for this.
h2_error code_of(h2_event what) {
    switch (what) {
    case h2_event::protocol_error:
    case h2_event::not_http2:
        return h2_error::protocol;
    case h2_event::closed_stream:
        return h2_error::stream_closed;
    case h2_event::settings_timeout:
        return h2_error::settings_timeout;
    default:
        return h2_error::enhance_your_calm;
    }
}

} // namespace

h2_client::h2_client(edge_loop& loop, client_owner& owner, h2_pool& pool, int descriptor,
                     client_info info)
    : h2_client(loop, owner, pool, channel(loop, descriptor, *this), std::move(info)) {}

h2_client::h2_client(edge_loop& loop, client_owner& owner, h2_pool& pool, channel&& open,
                     client_info info)
    : loop_(loop), owner_(owner), pool_(pool), channel_(std::move(open), *this),
      in_(loop.blocks(), small_bytes), out_(loop.blocks()), session_(*this),
      turn_(loop.turn(), *this, turn_end::calls<&h2_client::settle>{}),
      idle_(loop.timers(), *this, timer_wheel::calls<&h2_client::on_idle>{}),
      block_(loop.timers(), *this, timer_wheel::calls<&h2_client::on_block_timeout>{}),
      settings_(loop.timers(), *this, timer_wheel::calls<&h2_client::on_settings_timeout>{}),
      writing_(loop.timers(), *this, timer_wheel::calls<&h2_client::on_write_timeout>{}),
      info_(std::move(info)) {}

h2_client::~h2_client() {
    for (auto* const list : {&streams_, &retired_}) {
        for (auto& each : *list) {
            pool_.give(std::move(each));
        }
    }
}

void h2_client::start() {
    start_with({});
}

void h2_client::start_with(std::string_view received) {
    idle_.set_after(owner_.patience().idle);
    settings_.set_after(owner_.patience().head);
    if (!received.empty()) {
        take(received);
        dispatch();
    }
    wake();
    keep_reading();
}

void h2_client::start_refused(const error& why) {
    refusal_ = why;
    start();
    idle_.set_after(owner_.patience().first_while_draining);
}

void h2_client::announce_drain() {
    draining_ = true;
    // Of a client without a request so far: it would go elsewhere, and come back here.
    if (served_ && !announced_ && !is_over()) {
        announced_ = true;
        session_.announce_end();
        wake();
    }
}

void h2_client::close_idle() {
    announce_drain();
    stopping_ = true;
    if (is_over()) {
        return;
    }
    if (!served_) {
        idle_.set_after(std::min(owner_.patience().idle, owner_.patience().first_while_draining));
    } else {
        session_.refuse_new_streams();
        wake();
    }
}

void h2_client::on_request() {
    served_ = true;
    if (draining_ && !announced_) {
        announce_drain();
    }
    if (stopping_ || refusal_) {
        session_.refuse_new_streams();
    }
}

h2_stream& h2_client::add_stream(std::unique_ptr<h2_stream> made) {
    made->place = streams_.size();
    streams_.push_back(std::move(made));
    return *streams_.back();
}

h2_stream& h2_client::on_stream(std::int32_t id) {
    auto& stream = add_stream(pool_.take());
    stream.begin(*this, id);
    idle_.clear();
    return stream;
}

void h2_client::retire(h2_stream& which) {
    const auto place = which.place;
    if (place >= streams_.size() || streams_[place].get() != &which) {
        return; // it is already
    }
    retired_.push_back(std::move(streams_[place]));
    if (place + 1 != streams_.size()) {
        streams_[place] = std::move(streams_.back());
        streams_[place]->place = place;
    }
    streams_.pop_back();
    if (streams_.empty() && phase_ == phase::serving) {
        idle_.set_after(owner_.patience().idle);
    }
}

void h2_client::note(h2_stream& which) {
    if (!which.noted) {
        which.noted = true;
        news_.push_back(&which);
    }
}

void h2_client::dispatch() {
    for (std::size_t i = 0; i < news_.size(); ++i) {
        auto& stream = *news_[i];
        stream.noted = false;
        stream.tell();
    }
    news_.clear();
}

void h2_client::offend(h2_event what) {
    if (!offence_) {
        offence_ = what;
    }
    wake();
}

void h2_client::end_with(h2_event what) {
    if (is_over()) {
        return;
    }
    session_.terminate(code_of(what));
    produce();
    phase_ = phase::ending;
    report(what);
    lose_streams();
    wake();
}

/// The log and those who watch refusals hear of it as of a request.
void h2_client::report(h2_event what) {
    pool_.count(what);
    auto& none = add_stream(pool_.take());
    none.begin_without_stream(*this);
    const bool abuse = code_of(what) == h2_error::enhance_your_calm;
    none.serve_malformed({error_kind::invalid, abuse ? "http2-abuse" : "malformed-request",
                          std::string(name_of(what)), "", std::nullopt});
}

void h2_client::lose_streams() {
    while (!streams_.empty()) {
        streams_.back()->lose();
    }
}

/// Says that nothing more comes and forgets what is still under way, so that the client reads why
/// instead of a reset.
void h2_client::linger() {
    phase_ = phase::lingering;
    for (auto* const each : {&block_, &settings_, &writing_}) {
        each->clear();
    }
    channel_.shut_down_writing();
    idle_.set_after(linger_time);
    keep_reading();
}

void h2_client::close() {
    if (phase_ != phase::closed) {
        phase_ = phase::closed;
        for (auto* const each : {&idle_, &block_, &settings_, &writing_}) {
            each->clear();
        }
        lose_streams();
        channel_.close();
        owner_.on_closed(*this);
    }
}

void h2_client::on_idle() {
    if (phase_ != phase::serving) {
        close();
        return;
    }
    if (!streams_.empty()) {
        return;
    }
    count(h2_event::idle_timeout);
    session_.refuse_new_streams();
    wake();
}

void h2_client::on_block_timeout() {
    end_with(h2_event::head_timeout);
}

void h2_client::on_settings_timeout() {
    end_with(h2_event::settings_timeout);
}

void h2_client::on_write_timeout() {
    count(h2_event::write_timeout);
    close();
}

} // namespace relais::gateway
