#include "outbox/confirmation_ring.hpp"

#include <algorithm>
#include <cassert>

namespace relais::outbox {

void confirmation_ring::open(timestamp committed_at) {
    assert(entries_.empty() || entries_.back().closed);
    entries_.push_back({.committed_at = committed_at});
}

confirmation_ring::ticket confirmation_ring::sent() {
    assert(!entries_.empty() && !entries_.back().closed);
    ++entries_.back().waiting;
    ++outstanding_;
    return first_ + entries_.size() - 1;
}

void confirmation_ring::close(lsn end) {
    assert(!entries_.empty() && !entries_.back().closed);
    entries_.back().closed = true;
    entries_.back().end = end;
}

void confirmation_ring::mark(lsn position) {
    if (!entries_.empty() && !entries_.back().closed) {
        return;
    }
    // After something complete it needs no entry of its own.
    if (entries_.empty() || entries_.back().waiting > 0) {
        entries_.push_back({.closed = true});
    }
    entries_.back().end = std::max(entries_.back().end, position);
}

void confirmation_ring::delivered(ticket of) {
    auto& which = entries_.at(of - first_);
    assert(which.waiting > 0);
    --which.waiting;
    --outstanding_;
}

bool confirmation_ring::advance() {
    const auto before = confirmed_;
    while (!entries_.empty() && entries_.front().closed && entries_.front().waiting == 0) {
        confirmed_ = std::max(confirmed_, entries_.front().end);
        entries_.pop_front();
        ++first_;
    }
    return confirmed_ != before;
}

std::optional<timestamp> confirmation_ring::oldest() const {
    for (const auto& each : entries_) {
        if (each.waiting > 0) {
            return each.committed_at;
        }
    }
    return std::nullopt;
}

} // namespace relais::outbox
