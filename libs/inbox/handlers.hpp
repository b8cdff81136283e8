#pragma once

#include "inbox/consumer.hpp"
#include "inbox/interceptor.hpp"

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

    void add(interceptor around) {
        around_.push_back(std::move(around));
    }

    // Each calls all interceptors.
    result<void> before(pg::transaction& tx, const context& about) const;
    result<void> success(pg::transaction& tx, const context& about) const;
    void error(pg::transaction& tx, const events::event& event, const relais::error& why,
               std::uint32_t attempt) const;
    void dead(pg::transaction& tx, const events::event& event, const relais::error& why) const;
    void after(const events::event& event, outcome what) const;

private:
    std::map<std::string, handling> by_type_;
    std::map<std::string, std::string> snapshot_types_; ///< by topic
    std::vector<interceptor> around_;
};

} // namespace relais::inbox
