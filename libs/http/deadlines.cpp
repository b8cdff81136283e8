#include "http/deadlines.hpp"

namespace relais::http {
namespace {

constexpr std::chrono::milliseconds tick{50};

} // namespace

deadline_watch::deadline_watch(boost::asio::io_context& loop) : timer_(loop) {}

deadline_watch::~deadline_watch() {
    timer_.cancel();
}

void deadline_watch::arm() {
    if (armed_) {
        return;
    }
    armed_ = true;
    timer_.expires_after(tick);
    timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) {
            look();
        }
    });
}

void deadline_watch::look() {
    armed_ = false;
    const auto now = std::chrono::steady_clock::now();
    bool waiting = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        entry& each = *entries_[i];
        if (each.when_ <= now) {
            each.when_ = time_point::max();
            each.expired_ = true;
            each.on_expiry_();
        }
        waiting = waiting || each.when_ != time_point::max();
    }
    if (waiting) {
        arm(); // otherwise idle connections would keep the loop busy
    }
}

deadline_watch::entry::entry(deadline_watch& watch, std::function<void()> on_expiry)
    : watch_(watch), on_expiry_(std::move(on_expiry)), place_(watch.entries_.size()) {
    watch_.entries_.push_back(this);
}

deadline_watch::entry::~entry() {
    entry* last = watch_.entries_.back();
    watch_.entries_[place_] = last;
    last->place_ = place_;
    watch_.entries_.pop_back();
    if (watch_.entries_.empty()) {
        watch_.timer_.cancel(); // or it would keep the loop running
        watch_.armed_ = false;
    }
}

void deadline_watch::entry::set(time_point when) {
    when_ = when;
    expired_ = false;
    if (when != time_point::max()) {
        watch_.arm();
    }
}

void deadline_watch::entry::set_after(std::chrono::milliseconds duration) {
    set(std::chrono::steady_clock::now() + duration);
}

void deadline_watch::entry::clear() {
    set(time_point::max());
}

} // namespace relais::http
