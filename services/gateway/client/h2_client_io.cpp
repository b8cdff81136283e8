#include "gateway/client/h2_client.hpp"

#include <array>

// How bytes become frames and frames bytes.
namespace relais::gateway {
namespace {

constexpr std::size_t linger_bytes_max = std::size_t{256} * 1024;
constexpr std::size_t frame_head = 9;
/// Less is not worth a DATA frame.
constexpr std::size_t data_room_min = std::size_t{1} * 1024;
/// A hundred answers begin and end at a time; no client needs so much besides.
constexpr std::size_t queued_max = 500;

} // namespace

void h2_client::on_bytes(std::size_t count) {
    in_.added(count);
    more_came_ = in_.tail().empty();
    const auto bytes = in_.unread();
    if (phase_ == phase::serving) {
        take(bytes);
        dispatch();
        wake();
    } else if ((lingered_bytes_ += bytes.size()) > linger_bytes_max) {
        close();
        return;
    }
    in_.used(bytes.size());
    keep_reading();
}

void h2_client::take(std::string_view bytes) {
    now_ = std::chrono::steady_clock::now();
    if (const auto what = inspect(bytes)) {
        end_with(*what);
        return;
    }
    switch (session_.receive(bytes)) {
    case h2_session::outcome::fine:
        break;
    case h2_session::outcome::not_http2:
        end_with(h2_event::not_http2);
        return;
    case h2_session::outcome::broken:
        end_with(h2_event::protocol_error);
        return;
    }
    if (session_.queued() > queued_max) {
        end_with(h2_event::answer_flood);
        return;
    }
    watch_header_block();
}

/// What the client does too much of.
std::optional<h2_event> h2_client::inspect(std::string_view bytes) {
    while (const auto frame = scanner_.next(bytes)) {
        if (const auto what = guard_.on_frame(*frame, now_)) {
            return what;
        }
    }
    return std::nullopt;
}

void h2_client::watch_header_block() {
    if (!guard_.inside_header_block() && !scanner_.inside_header_payload()) {
        block_.clear();
    } else if (!block_.is_set()) {
        block_.set_after(owner_.patience().head); // for all of it, not per read
    }
}

void h2_client::on_end(bool /*orderly*/) {
    ended_ = true;
    close();
}

void h2_client::on_room() {
    blocked_ = false;
    writing_.clear();
    settle();
}

void h2_client::wake() {
    if (phase_ != phase::closed) {
        turn_.set();
    }
}

/// All that was noted is told, all that is ready is sent.
void h2_client::settle() {
    if (settling_ || phase_ == phase::closed) {
        return;
    }
    settling_ = true;
    do {
        dispatch();
        push();
    } while (!news_.empty() && phase_ != phase::closed);
    settling_ = false;
    for (auto& each : retired_) {
        pool_.give(std::move(each));
    }
    retired_.clear();
    if (offence_ && !is_over()) {
        end_with(*offence_);
    }
    end_if_done();
}

void h2_client::end_if_done() {
    if (phase_ == phase::serving && failed_) {
        phase_ = phase::ending;
        report(h2_event::protocol_error);
        lose_streams();
        wake();
    }
    const bool silent = out_.empty() && rendered_.empty();
    const bool done =
        phase_ == phase::ending || (phase_ == phase::serving && streams_.empty() &&
                                    !session_.wants_to_read() && !session_.wants_to_write());
    if (done && silent) {
        linger();
    }
}

void h2_client::push() {
    while (!blocked_ && phase_ != phase::closed) {
        produce();
        if (out_.empty()) {
            break;
        }
        const std::array<std::string_view, 1> bytes{out_.unsent()};
        const auto [count, broken] = channel_.write(bytes);
        if (broken) {
            close();
            return;
        }
        out_.used(count);
        if (!out_.empty()) {
            blocked_ = true;
            writing_.set_after(owner_.patience().answer_idle);
        }
    }
}

void h2_client::produce() {
    while (phase_ == phase::serving || !rendered_.empty()) {
        const auto part = rendered_.substr(0, out_.room());
        if (!part.empty()) {
            out_.append(part);
            rendered_.remove_prefix(part.size());
        }
        if (!rendered_.empty() || phase_ != phase::serving) {
            return;
        }
        rendered_ = session_.output();
        if (rendered_.empty()) {
            return;
        }
    }
}

void h2_client::keep_reading() {
    if (channel_.reading() || ended_ || phase_ == phase::closed) {
        return;
    }
    in_.make_room();
    if (more_came_) {
        in_.grow();
    } else if (streams_.empty()) {
        in_.shrink();
    }
    channel_.read(in_.tail());
}

void h2_client::on_field(h2_stream& of, std::string_view name, std::string_view value) {
    of.add_field(name, value);
}

void h2_client::on_fields_end(h2_stream& of, bool last) {
    of.end_fields(last);
}

void h2_client::on_data(h2_stream& of, std::string_view piece) {
    of.add_data(piece);
}

void h2_client::on_data_end(h2_stream& of) {
    of.end_data();
}

void h2_client::on_stream_closed(h2_stream& of) {
    of.on_closed();
}

void h2_client::on_early_end(h2_stream& of) {
    of.on_early_end();
}

void h2_client::on_settings_acknowledged() {
    settings_.clear();
}

void h2_client::on_reset_provoked() {
    if (const auto what = guard_.on_reset_provoked(now_)) {
        offend(*what);
    }
}

void h2_client::on_failure_sent() {
    failed_ = true;
    wake();
}

h2_offer h2_client::on_offer(h2_stream& of, std::size_t most) {
    const auto room = out_.room();
    if (room < frame_head + data_room_min) {
        return {h2_offer::what::no_room, 0, false};
    }
    return of.offer(std::min(most, room - frame_head));
}

bool h2_client::on_data_frame(h2_stream& of, std::string_view head, std::size_t count) {
    const auto part = of.take(count);
    if (part.size() != count) {
        return false;
    }
    out_.append(head);
    out_.append(part);
    guard_.on_data_sent();
    return true;
}

} // namespace relais::gateway
