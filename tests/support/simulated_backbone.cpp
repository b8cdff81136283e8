// The relay's side: database, relays and broker. The consumers' side is in
// simulated_consumers.cpp.
#include "support/simulated_backbone.hpp"

#include <algorithm>

namespace relais::test {
namespace {

constexpr std::size_t events_max = 4; ///< a transaction
constexpr std::size_t flight_max = 20;

std::size_t partition_of(const events::event& event) {
    return static_cast<std::size_t>(event.key.back() - '0') % 3;
}

} // namespace

simulated_backbone::simulated_backbone(std::uint64_t seed, mistakes wrong)
    : random_(seed), wrong_(wrong) {}

std::uint64_t simulated_backbone::below(std::uint64_t limit) {
    return random_() % limit;
}

bool simulated_backbone::happens(std::uint64_t percent) {
    return below(100) < percent;
}

timestamp simulated_backbone::now() const {
    return timestamp(std::chrono::microseconds(steps_));
}

void simulated_backbone::step() {
    ++steps_;
    if (!relay_) {
        start_relay();
    }
    if (!draining_ && below(400) == 0) {
        fault();
        return;
    }
    const auto where = below(partition_count);
    switch (below(10)) {
    case 0:
        if (!draining_) {
            commit();
        }
        break;
    case 1:
    case 2:
        read(*relay_);
        break;
    case 3:
    case 4:
        accept(*relay_, where);
        break;
    case 5:
    case 6:
        report(*relay_);
        break;
    case 7:
        confirm();
        break;
    case 8:
        consume(below(2), where);
        break;
    default:
        run_held(partitions_[where]);
    }
    let_zombies_send();
}

void simulated_backbone::fault() {
    const auto which = below(5);
    if (which == 0) {
        ++counts_["relays killed"];
        stop_relay(false);
    } else if (which == 1) {
        ++counts_["relays frozen"];
        stop_relay(true);
    } else if (which == 2) {
        ++counts_["slots lost"];
        lose_slot();
    } else if (which == 3) {
        ++counts_["duplicates"];
        duplicate();
    } else {
        // It starts again where the database says.
        ++counts_["consumers killed"];
        for (std::size_t i = 0; i < partition_count; ++i) {
            const auto next = partitions_[i].mark.next_offset.value_or(0);
            positions_[below(2)][i] = static_cast<std::size_t>(next);
        }
    }
}

void simulated_backbone::commit() {
    transaction made;
    made.commit = (log_.empty() ? 100 : log_.back().end) + below(50);
    made.end = made.commit + 1 + below(50);
    const auto count = 1 + below(events_max);
    for (std::uint64_t i = 0; i < count; ++i) {
        events::event event;
        event.key = "k" + std::to_string(below(key_count));
        event.id = event_id(make_uuid_v7({}, 0, ++ids_));
        event.type = std::to_string(++numbers_[event.key]);
        event.position =
            events::position{"", made.commit, static_cast<std::uint32_t>(made.events.size())};
        made.events.push_back(std::move(event));
    }
    log_.push_back(std::move(made));
}

/// Takes the slot, and goes on where it is confirmed.
void simulated_backbone::start_relay() {
    relay_ = std::make_unique<relay>(relay{.ring = outbox::confirmation_ring(slot_)});
    relay_->next = static_cast<std::size_t>(
        std::ranges::count_if(log_, [&](const auto& each) { return each.end <= slot_; }));
}

void simulated_backbone::read(relay& by) {
    const bool full = by.ring.outstanding() >= flight_max;
    if (full || by.next >= log_.size()) {
        return;
    }
    const auto& transaction = log_[by.next++];
    by.ring.open(now());
    for (const auto& event : transaction.events) {
        flight sent{event, by.ring.sent()};
        sent.event.position->source = "web-api:" + std::to_string(epoch_);
        if (wrong_.confirms_when_sent) {
            by.ring.delivered(sent.ticket);
        }
        by.sending[partition_of(event)].push_back(std::move(sent));
    }
    by.ring.close(transaction.end);
    by.ring.advance();
}

/// The broker takes the next record of a partition; the report follows at its own time.
void simulated_backbone::accept(relay& by, std::size_t where) {
    auto& sending = by.sending[where];
    if (sending.empty()) {
        return;
    }
    partitions_[where].records.push_back(std::move(sending.front().event));
    by.reports.push_back(sending.front().ticket);
    sending.pop_front();
}

void simulated_backbone::report(relay& by) {
    if (by.reports.empty()) {
        return;
    }
    const auto which = static_cast<std::ptrdiff_t>(below(by.reports.size()));
    if (!wrong_.confirms_when_sent) {
        by.ring.delivered(by.reports[static_cast<std::size_t>(which)]);
        by.ring.advance();
    }
    by.reports.erase(by.reports.begin() + which);
}

/// The slot learns what is confirmed, and seldom it is noted down for repairs, so
/// that a repair has more to look up than a consumer remembers ids.
void simulated_backbone::confirm() {
    slot_ = std::max(slot_, relay_->ring.confirmed());
    if (happens(1)) {
        published_ = static_cast<std::size_t>(
            std::ranges::count_if(log_, [&](const auto& each) { return each.end <= slot_; }));
    }
}

/// What it was sending arrives in part: of each partition the first ones. A frozen one sends the
/// rest when it wakes, after its successor's.
void simulated_backbone::stop_relay(bool frozen) {
    if (frozen) {
        zombies_.push_back(std::move(relay_));
        return;
    }
    for (std::size_t i = 0; i < partition_count; ++i) {
        for (auto left = below(relay_->sending[i].size() + 1); left > 0; --left) {
            accept(*relay_, i);
        }
    }
    relay_.reset();
}

void simulated_backbone::let_zombies_send() {
    for (auto& zombie : zombies_) {
        accept(*zombie, below(partition_count));
    }
    std::erase_if(zombies_, [](const auto& zombie) {
        return std::ranges::all_of(zombie->sending, [](const auto& each) { return each.empty(); });
    });
}

/// Whoever sent under the old epoch is done for: its producer is fenced off before the repair looks
/// at what the broker has.
void simulated_backbone::lose_slot() {
    stop_relay(false);
    zombies_.clear();
    ++epoch_;
    repair();
    slot_ = log_.empty() ? 0 : log_.back().end;
}

/// What may not have been published comes from the table, at positions before the stream's.
void simulated_backbone::repair() {
    std::set<event_id> known;
    for (const auto& each : partitions_) {
        for (const auto& record : each.records) {
            known.insert(record.id);
        }
    }
    std::uint32_t ordinal = 0;
    for (auto i = published_; i < log_.size(); ++i) {
        for (auto event : log_[i].events) {
            ++ordinal;
            if (wrong_.repairs_blindly || !known.contains(event.id)) {
                event.position = events::position{"web-api:" + std::to_string(epoch_), 0, ordinal};
                partitions_[partition_of(event)].records.push_back(std::move(event));
            }
        }
    }
}

/// An old record once more.
void simulated_backbone::duplicate() {
    auto& records = partitions_[below(partition_count)].records;
    if (!records.empty()) {
        records.push_back(events::event(records[below(records.size())]));
    }
}

} // namespace relais::test
