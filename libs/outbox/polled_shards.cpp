#include "outbox/polled_shards.hpp"

namespace relais::outbox {

void polled_shards::saw(std::string snapshot, lsn position) {
    seen_ = std::move(snapshot);
    if (position != 0) {
        under_way_.emplace_back(position, seen_);
    } else if (under_way_.empty()) {
        published_ = seen_;
    } else {
        under_way_.back().second = seen_; // nothing new in between
    }
}

void polled_shards::delivered(lsn position) {
    while (!under_way_.empty() && under_way_.front().first <= position) {
        published_ = std::move(under_way_.front().second);
        under_way_.pop_front();
    }
}

bool polled_shards::absorb(const polled_shards& other) {
    if (other.seen_ != seen_ || !under_way_.empty() || !other.under_way_.empty()) {
        return false;
    }
    numbers_.insert(numbers_.end(), other.numbers_.begin(), other.numbers_.end());
    return true;
}

} // namespace relais::outbox
