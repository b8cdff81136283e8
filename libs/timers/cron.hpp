#pragma once

#include "timers/cron_fields.hpp"
#include "timers/time_zone.hpp"

namespace relais::timers {

/// When something is due again and again: a cron expression on a place's wall clock. Pure.
///
/// When clocks are set: a time that does not exist is due at the first moment after the gap, a time
/// that comes twice is due the first time. An expression for every hour (its hour field begins with
/// `*`) goes by elapsed time instead: due in both of two equal hours, and not for one left out.
class cron {
public:
    /// Errors: `invalid` / "cron-expression" or "time-zone", with what was expected.
    static result<cron> parse(std::string_view expression, std::string_view zone);

    /// The first due time later than the moment.
    timestamp next_after(timestamp moment) const;

    /// The last due time up to now; `due`, a due time, is not later than now.
    timestamp latest_until(timestamp due, timestamp now) const;

private:
    cron(cron_fields fields, time_zone zone) : fields_(fields), zone_(std::move(zone)) {}

    std::chrono::sys_seconds next_of_fixed(std::chrono::sys_seconds moment) const;
    std::chrono::sys_seconds next_of_every_hour(std::chrono::sys_seconds moment) const;

    cron_fields fields_;
    time_zone zone_;
};

} // namespace relais::timers
