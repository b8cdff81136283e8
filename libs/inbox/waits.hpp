#pragma once

#include "inbox/parking.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace relais::inbox {

/// A held key of a partition of this instance.
struct waiter {
    kafka::topic_partition where;
    std::string key;

    friend auto operator<=>(const waiter&, const waiter&) = default;
};

/// Which keys of this instance wait for which snapshots. A hint that makes the wake-up quick; what
/// is true stands in the database. Free of IO.
class waits {
public:
    void add(const kafka::topic_partition& where, const held_key& key);
    void forget(const waiter& who);
    void forget(const kafka::topic_partition& where);

    /// Takes out and returns those that waited for this snapshot in this version or an earlier one.
    std::vector<waiter> arrived(const events::snapshot_need& snapshot);

    /// Takes out and returns those whose snapshots are all among these.
    std::vector<waiter> satisfied_by(const snapshot_versions& snapshots);

    bool empty() const;
    /// Everything that is waited for, at most this many.
    std::vector<events::snapshot_need> needs(std::size_t max) const;

private:
    std::map<waiter, std::vector<events::snapshot_need>> needs_;
    std::multimap<std::pair<std::string, std::string>, waiter> by_snapshot_;
};

} // namespace relais::inbox
