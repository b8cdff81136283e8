#pragma once

#include "inbox/consumer.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace relais::inbox {

/// What is registered for one event type.
struct handling {
    std::string topic;
    policy failures;
    consumer::raw_handler run;            ///< of an event,
    consumer::raw_batch_handler run_many; ///< or of many of them,
    consumer::snapshot_handler keep;      ///< or of a snapshot
    std::string snapshot_kind;            ///< "contact"; empty for an event
    consumer::erase_handler erase;        ///< of a snapshot
};

/// All handlers of a consumer. Filled before it runs, read by database threads then.
class handlers {
public:
    /// A type that is registered twice is a bug (assert).
    void add(std::string type, handling entry);

    /// nullptr: nobody handles it.
    const handling* find(const std::string& type) const;
    /// The snapshot whose tombstones come on this topic.
    const handling* find_erasable(const std::string& topic) const;
    /// Whom to ask for an event, tombstones included.
    const handling* of(const events::event& event) const;

    std::vector<std::string> topics() const;

private:
    std::map<std::string, handling> by_type_;
    std::map<std::string, std::string> snapshot_types_; ///< by topic
};

} // namespace relais::inbox
