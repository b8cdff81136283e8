#pragma once

#include "outbox/replication_message.hpp"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace relais::outbox {

/// Shards of this instance that have seen the same, and how far what they saw is delivered. Pure.
class polled_shards {
public:
    /// What `seen` sees is delivered.
    polled_shards(std::vector<int> numbers, std::string seen)
        : numbers_(std::move(numbers)), seen_(std::move(seen)), published_(seen_) {}

    const std::vector<int>& numbers() const {
        return numbers_;
    }

    const std::string& seen() const {
        return seen_;
    }

    /// A round took what this snapshot sees; its events have this position, 0: there were none.
    void saw(std::string snapshot, lsn position);

    /// Everything up to this position is delivered.
    void delivered(lsn position);

    /// The last snapshot of which everything is delivered.
    const std::string& published() const {
        return published_;
    }

    /// Takes another one's shards, when both have seen the same and nothing is under way.
    bool absorb(const polled_shards& other);

private:
    std::vector<int> numbers_;
    std::string seen_;
    std::deque<std::pair<lsn, std::string>> under_way_;
    std::string published_;
};

} // namespace relais::outbox
