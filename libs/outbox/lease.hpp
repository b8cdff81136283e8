#pragma once

#include <chrono>

namespace relais::outbox {

/// The right to give records to Kafka. A relay that was frozen, or that reads what is left in the
/// socket of a slot that is gone, must not go on under an epoch that has ended: it looks at the
/// epoch every second, and without an answer of the last few seconds it adds nothing. A successor
/// waits as long before it looks what Kafka has, and then knows that at most
/// `events::in_flight_max` records of each partition can still come. Pure.
class lease {
public:
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::seconds lasts{5};

    /// The epoch was ours; asked at this time.
    void renew(time_point asked_at) {
        renewed_at_ = asked_at;
    }

    bool holds(time_point now) const {
        return now - renewed_at_ < lasts;
    }

private:
    time_point renewed_at_{};
};

} // namespace relais::outbox
