#pragma once

#include "clock/clock.hpp"
#include "result/result.hpp"

#include <chrono>
#include <memory>
#include <string_view>

namespace relais::timers {

/// A place's wall clock, from the IANA data that ICU brings. Immutable; may be copied and used by
/// several threads.
class time_zone {
public:
    /// By its IANA name ("Europe/Brussels", "UTC"). Error: `invalid` / "time-zone".
    static result<time_zone> find(std::string_view name);

    /// What the wall clock shows then.
    std::chrono::local_seconds wall_at(std::chrono::sys_seconds moment) const;

    /// When the wall clock shows a time.
    struct moments {
        std::chrono::sys_seconds first; ///< the end of the gap, when there is no such time
        std::chrono::sys_seconds last;  ///< another one than the first when it comes twice
        bool exists = true;
    };

    moments moments_of(std::chrono::local_seconds wall) const;

    /// Whether clocks are set within a day of the moment.
    bool changes_near(std::chrono::sys_seconds moment) const;

private:
    struct rules;
    explicit time_zone(std::shared_ptr<const rules> of);
    std::chrono::seconds offset_at(std::chrono::sys_seconds moment) const;

    std::shared_ptr<const rules> rules_; // copies share it; it is immutable
};

} // namespace relais::timers
