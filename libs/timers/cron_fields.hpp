#pragma once

#include "result/result.hpp"

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

namespace relais::timers {

/// A cron expression taken apart (crontab(5)): minute, hour, day of month, month, day of week, each
/// a list of `*`, numbers, ranges and steps; months and days of the week also by their English
/// names; or @yearly @annually @monthly @weekly @daily @midnight @hourly. Sunday is 0 and 7. When
/// both days are restricted (neither begins with `*`), one of them is enough.
struct cron_fields {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;
    std::bitset<13> months;
    std::bitset<7> weekdays; ///< 0: Sunday
    bool every_hour = false; ///< the hour field begins with `*`
    bool any_day = false;    ///< the day of month begins with `*`
    bool any_weekday = false;

    /// Error: `invalid` / "cron-expression", with what was expected. One that never comes (30
    /// February) is one.
    static result<cron_fields> parse(std::string_view expression);

    /// The first time from this one on, in minutes of a wall clock; nullopt: none in 50 years.
    std::optional<std::chrono::local_seconds> first_from(std::chrono::local_seconds wall) const;

private:
    bool includes(std::chrono::local_days day) const;
};

} // namespace relais::timers
