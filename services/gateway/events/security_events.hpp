#pragma once

#include "clock/clock.hpp"
#include "gateway/access/access_record.hpp"
#include "kafka/producer.hpp"

#include <string>

namespace relais::gateway {

/// Publishes requests that were refused for a reason worth watching (edge.security.events.v1). The
/// gateway has no database, so these go to Kafka directly; consumers dedupe by event id. Never
/// waits: while the broker is away and the queue is full, events are dropped and counted.
class security_events {
public:
    security_events(kafka::producer& producer, const access_names& names, const clock& time,
                    std::string instance, metrics::registry& metrics);

    /// Does nothing for a reason that is not in the list of the watched ones.
    void refused(const access_record& record);

private:
    kafka::producer& producer_;
    const access_names& names_;
    const clock& time_;
    std::string instance_;
    metrics::counter sent_;
    metrics::counter dropped_;
};

} // namespace relais::gateway
