#include "inbox/waits.hpp"

#include <algorithm>

namespace relais::inbox {

void waits::add(const kafka::topic_partition& where, const held_key& key) {
    const waiter who{where, key.key};
    forget(who);
    for (const auto& need : key.waiting_for) {
        by_snapshot_.emplace(std::pair(need.kind, need.id), who);
    }
    needs_.emplace(who, key.waiting_for);
}

void waits::forget(const waiter& who) {
    const auto known = needs_.find(who);
    if (known == needs_.end()) {
        return;
    }
    for (const auto& need : known->second) {
        const auto [begin, end] = by_snapshot_.equal_range({need.kind, need.id});
        const auto entry =
            std::find_if(begin, end, [&](const auto& each) { return each.second == who; });
        if (entry != end) {
            by_snapshot_.erase(entry);
        }
    }
    needs_.erase(known);
}

void waits::forget(const kafka::topic_partition& where) {
    std::vector<waiter> of_partition;
    for (const auto& [who, needs] : needs_) {
        if (who.where == where) {
            of_partition.push_back(who);
        }
    }
    for (const auto& who : of_partition) {
        forget(who);
    }
}

std::vector<waiter> waits::arrived(const events::snapshot_need& snapshot) {
    std::vector<waiter> woken;
    const auto [begin, end] = by_snapshot_.equal_range({snapshot.kind, snapshot.id});
    for (auto entry = begin; entry != end; ++entry) {
        const auto& needs = needs_.at(entry->second);
        const bool enough = std::ranges::any_of(needs, [&](const auto& need) {
            return need.kind == snapshot.kind && need.id == snapshot.id &&
                   need.version <= snapshot.version;
        });
        if (enough) {
            woken.push_back(entry->second);
        }
    }
    for (const auto& who : woken) {
        forget(who);
    }
    return woken;
}

std::vector<waiter> waits::satisfied_by(const snapshot_versions& snapshots) {
    std::vector<waiter> woken;
    for (const auto& [who, needs] : needs_) {
        if (missing(needs, snapshots).empty()) {
            woken.push_back(who);
        }
    }
    for (const auto& who : woken) {
        forget(who);
    }
    return woken;
}

bool waits::empty() const {
    return needs_.empty();
}

std::vector<events::snapshot_need> waits::needs(std::size_t max) const {
    std::vector<events::snapshot_need> all;
    for (const auto& [who, needs] : needs_) {
        for (const auto& need : needs) {
            if (all.size() < max) {
                all.push_back(need);
            }
        }
    }
    return all;
}

} // namespace relais::inbox
