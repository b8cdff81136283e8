#pragma once

#include "inbox/batch.hpp"
#include "inbox/plan.hpp"
#include "inbox/store.hpp"

#include <string>
#include <vector>

namespace relais::inbox {

/// A transaction's view of a partition whose row, or slice, it has locked, and what it does to it.
class partition_session {
public:
    partition_session(pg::transaction& tx, const batch& work, partition_state locked);

    const incoming& event(std::size_t index) const {
        return work_.events[index];
    }

    /// `with`: who handles it, if anybody does.
    step decide_on(std::size_t index, const handling* with);

    /// Everything but running a handler.
    outcome settle(step what, std::size_t index);

    /// Parks an event and makes its key wait until then.
    void hold_until(const incoming& next, timestamp next_at, std::uint32_t attempts,
                    const std::string& errors);

    /// All events are settled: tells the report. state() is what the row is to hold then.
    void finish(batch_report& report);

    const partition_state& state() const {
        return state_;
    }

    timestamp now() const {
        return known_.now;
    }

private:
    void learn();
    void park_new(const incoming& next, std::uint32_t attempts, const std::string& errors);
    void park_for_snapshot(const incoming& next);
    void make_wait(const std::string& key, timestamp next_at,
                   const std::vector<events::snapshot_need>& needs);
    void bury_at_once(const incoming& next);

    pg::transaction& tx_;
    const batch& work_;
    partition_state state_;
    knowledge known_;
    std::vector<held_key> waiting_;
    bool held_changed_ = false;
};

} // namespace relais::inbox
